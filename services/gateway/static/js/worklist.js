// The worklist: sickest first, grouped by early-warning band, kept fresh without losing the place.
import { get } from "./api.js";
import { banners } from "./banners.js";
import { $, h, tile } from "./dom.js";
import { now, setServerNow } from "./format.js";
import { count, t } from "./i18n.js";
import { keepFresh, showState, tickState } from "./live.js";
import { bandOf, COLUMNS, fillRow, nameOf, newRow, scoreOf, tickRow } from "./row.js";
import { startKeys } from "./keys.js";
import { startSearch } from "./search.js";
import { startShell } from "./shell.js";

const BANDS = ["high", "medium", "low-medium", "low", "unknown"];
const LIMIT = 200;
const TICK_MS = 5_000;
const FLASH_MS = 2_600;

const table = $("#worklist");
const rows = new Map(); // id -> the newest row
const elements = new Map(); // id -> its <tr>
const groups = new Map(); // band -> its <tbody>
let order = [];
let total = 0;
let etag = null;
let cursor = null;
let shownUnit = new URLSearchParams(location.search).get("unit") ?? sessionStorage.getItem("unit") ?? "";
let query = "";

async function load() {
  const unit = shownUnit;
  const since = cursor ? `&since=${encodeURIComponent(cursor)}` : "";
  const answer = await get(`/v1/worklist?limit=${LIMIT}&unit=${encodeURIComponent(unit)}${since}`, { etag });
  if (unit !== shownUnit) return load();
  if (!answer.same) take(answer.body, answer.etag);
  return undefined;
}

function take(list, tag) {
  const fresh = etag === null;
  etag = tag;
  cursor = list.cursor;
  setServerNow(list.generated_ms);
  const before = new Map([...rows].map(([id, row]) => [id, { band: bandOf(row), name: nameOf(row) }]));
  if (list.full) rows.clear();
  for (const id of list.gone) rows.delete(id);
  for (const row of list.patients) rows.set(row.id, { ...row, identityHidden: list.identity !== "ok" });
  order = list.order.filter((id) => rows.has(id));
  for (const id of [...rows.keys()]) if (!list.order.includes(id)) rows.delete(id);
  total = list.total;
  keepPlace(() => draw(fresh));
  if (fresh) returnTo();
  else announce(before);
  banners.say("catching_up", list.catching_up && (list.catching_up.behind_minutes > 0
    ? t("banner.catching_up", { n: list.catching_up.behind_minutes }) : t("banner.catching_up_now")));
  banners.say("identity", list.identity === "ok" ? null : t("banner.identity"));
  banners.say("degraded", [...rows.values()].some((row) => row.degraded) ? t("banner.degraded") : null);
  banners.say("cut", list.total > list.order.length ? t("worklist.cut", { n: list.order.length }) : null);
}

function draw(fresh) {
  for (const [id, element] of elements) {
    if (!rows.has(id)) {
      passFocusOn(element);
      element.remove();
      elements.delete(id);
    }
  }
  const after = new Map(BANDS.map((band) => [band, group(band).rows[0]]));
  for (const id of order) {
    const row = rows.get(id);
    let element = elements.get(id);
    const arrived = !element;
    if (arrived) {
      element = newRow(id);
      elements.set(id, element);
    }
    const from = element.dataset.band;
    const changed = fillRow(element, row);
    const band = bandOf(row);
    place(element, group(band), after.get(band));
    after.set(band, element);
    if (!fresh && (arrived || changed || (from && from !== band))) flash(element);
  }
  tick();
  filter();
}

function group(band) {
  if (!groups.has(band)) {
    const body = h("tbody", { role: "rowgroup", "data-band": band, id: `band-${band}`, tabindex: "-1" },
      h("tr", { class: "band", role: "row" }, h("th", { role: "columnheader", scope: "rowgroup", colspan: COLUMNS.length },
        h("span", { class: "band-line" }, tile(band, ""), h("span", { class: "band-name" }, t(`band.${band}`)),
          h("span", { class: "band-rule quiet" }, t(`band_rule.${band}`)), h("span", { class: "band-count" })))));
    groups.set(band, body);
    table.append(...BANDS.filter((b) => groups.has(b)).map((b) => groups.get(b)));
  }
  return groups.get(band);
}

/** Put `element` behind `previous`, without touching the page when it is already there. */
function place(element, body, previous) {
  if (element.parentNode === body && previous.nextElementSibling === element) return;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  previous.after(element);
  focused?.focus({ preventScroll: true });
}

function passFocusOn(element) {
  if (!element.contains(document.activeElement)) return;
  const links = [...table.querySelectorAll("tr.row:not([hidden]) .row-link")];
  const next = links[links.indexOf($(".row-link", element)) + 1] ?? links[0];
  (next && next !== $(".row-link", element) ? next : $("#main")).focus({ preventScroll: true });
}

/** Run `change` and scroll so that what the reader looks at stays where it was. */
function keepPlace(change) {
  const anchor = document.activeElement?.closest?.("tr.row")
    ?? (scrollY > 0 ? [...elements.values()].find((e) => e.getBoundingClientRect().top > 96) : null);
  const top = anchor?.getBoundingClientRect().top;
  change();
  if (anchor?.isConnected) scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: "instant" });
}

/** Coming back from a patient: go on from their row. */
function returnTo() {
  if (!location.hash.startsWith("#at-")) return;
  const element = elements.get(decodeURIComponent(location.hash.slice("#at-".length)));
  history.replaceState(null, "", location.pathname + location.search);
  if (!element || element.hidden) return;
  $(".row-link", element).focus({ preventScroll: true });
  element.scrollIntoView({ block: "center" });
}

function flash(element) {
  clearTimeout(element.flashing);
  element.classList.remove("flash");
  void element.offsetWidth; // restarts the animation
  element.classList.add("flash");
  element.flashing = setTimeout(() => element.classList.remove("flash"), FLASH_MS);
}

function announce(before) {
  const said = [];
  for (const id of order) {
    const row = rows.get(id);
    if (!before.has(id)) said.push(t("announce.arrived", { name: nameOf(row) }));
    else if (before.get(id).band !== bandOf(row) && ["high", "medium"].includes(bandOf(row))) {
      said.push(t("announce.band", { name: nameOf(row), band: t(`band.${bandOf(row)}`), total: scoreOf(row)?.total ?? "" }));
    }
  }
  for (const [id, was] of before) if (!rows.has(id)) said.push(t("announce.left", { name: was.name }));
  if (said.length) $("#announcer").textContent = said.slice(0, 4).join(". ");
}

function tick() {
  const at_ms = now();
  for (const [id, row] of rows) {
    const element = elements.get(id);
    if (element) tickRow(element, row, at_ms);
  }
  tickState();
  banners.tick(at_ms);
}

const matches = (row) => !query
  || (row.name ?? "").toLowerCase().includes(query) || (row.record_number ?? "").toLowerCase().includes(query);

function filter() {
  const counts = Object.fromEntries(BANDS.map((band) => [band, 0]));
  let visible = 0;
  for (const id of order) {
    counts[bandOf(rows.get(id))] += 1;
    const show = matches(rows.get(id));
    elements.get(id).hidden = !show;
    visible += show;
  }
  for (const [band, body] of groups) {
    const left = [...body.querySelectorAll("tr.row")].filter((e) => !e.hidden).length;
    body.hidden = left === 0;
    $(".band-count", body).textContent = count("worklist.patients", left);
  }
  table.hidden = visible === 0;
  const note = $("#note");
  note.hidden = visible > 0;
  note.textContent = query ? t("worklist.no_match") : t("worklist.empty");
  $("#total").textContent = count("worklist.patients", total);
  countBands(counts);
  return visible;
}

/** The links to the bands; the one in focus keeps it when a count changes. */
function countBands(counts) {
  const list = $("#bands");
  const said = JSON.stringify(counts);
  if (list.dataset.said === said) return;
  list.dataset.said = said;
  const held = document.activeElement?.closest?.("#bands li")?.dataset.band;
  list.replaceChildren(...BANDS.filter((band) => counts[band]).map((band) => h("li", { "data-band": band },
    h("a", { href: `#band-${band}` }, tile(band, ""), h("span", {}, t(`band.${band}`)), h("b", {}, String(counts[band]))))));
  if (held) ($(`[data-band="${held}"] a`, list) ?? $("a", list) ?? $("#main")).focus({ preventScroll: true });
}

function onState(state, lastGood) {
  showState(state, lastGood);
  document.body.classList.toggle("off", state === "off");
  banners.offline(state === "off" ? lastGood : null);
  banners.say("slow", state === "slow" ? t("banner.slow") : null);
  if (state === "session") {
    for (const id of [...rows.keys()]) rows.delete(id);
    order = [];
    draw(true);
    banners.say("session", h("span", {}, t("banner.session"), " ",
      h("a", { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}` }, t("banner.session_link"))));
    $("#note").hidden = true;
  }
}

async function offerUnits() {
  const select = $("#unit");
  select.addEventListener("change", () => {
    shownUnit = select.value;
    sessionStorage.setItem("unit", shownUnit);
    etag = null;
    cursor = null;
    const address = new URL(location.href);
    if (shownUnit) address.searchParams.set("unit", shownUnit);
    else address.searchParams.delete("unit");
    history.replaceState(null, "", address);
    look();
  });
  try {
    const { body } = await get("/v1/units");
    for (const { unit } of body.units) select.append(h("option", { value: unit, selected: unit === shownUnit }, unit));
  } catch {
    // The list itself says that the server cannot be reached; the filter just stays short.
  }
}

const look = keepFresh(load, onState);
offerUnits();
startShell(() => document.activeElement?.blur?.());
startKeys(table);
startSearch((text) => {
  query = text.trim().toLowerCase();
  return filter();
});
setInterval(tick, TICK_MS);
