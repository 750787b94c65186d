// One patient: who and where, the scores with their parts, the risk with its reasons, the course.
import { get, Refused } from "./api.js";
import { banners } from "./banners.js";
import { Course } from "./course.js";
import { Decision } from "./decision.js";
import { $, h, icon } from "./dom.js";
import { ago, at, now, overdue, relative, years } from "./format.js";
import { Glass, glassSaid } from "./glass.js";
import { count, t, word } from "./i18n.js";
import { keepFresh, showState, tickState } from "./live.js";
import { doubtedCard, reading, tickDoubts } from "./reading.js";
import { riskCard, whyCard } from "./risk.js";
import { badges, bandOf, lastSaid, nameOf, staleHelp } from "./row.js";
import { news2Card, qsofaCard } from "./scores.js";
import { startShell } from "./shell.js";
import { inStrips, stripsOf } from "./strips.js";

const TICK_MS = 5_000;
const POINTS = 400;
const WINDOW_DEFAULT_H = 24;

const article = $("#patient");
const id = article.dataset.id;
const course = new Course($("#charts"), $("#scrub"), $("#table"));
const decision = new Decision($("#decision"));
const glass = new Glass($("#glass"), id, () => look());
let row = null;
let drawnFor = "";

async function load() {
  let answer;
  try {
    answer = await get(`/v1/patients/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return refused();
    throw error;
  }
  row = { ...answer.body, identityHidden: answer.body.identity !== "ok" };
  draw();
  const key = JSON.stringify([row.event_id, row.scored_ms, row.identity, row.aliases_count, row.spark]);
  if (key === drawnFor) return undefined;
  const separator = row.history_url.includes("?") ? "&" : "?";
  const { body } = await get(`${row.history_url}${separator}points=${POINTS}`);
  drawnFor = key;
  course.show(stripsOf(body, new Map(row.vitals.map((v) => [v.parameter, v]))), row.identityHidden);
  drawLabs(body);
  return undefined;
}

/** Not the viewer's patient (any more), or nobody: the glass can be broken. */
function refused() {
  leave(null);
  glass.show();
}

function leave(key) {
  row = null;
  banners.say("glass", null);
  article.hidden = true;
  $("#note").hidden = key === null;
  $("#note").textContent = key === null ? "" : t(key);
}

function draw() {
  $("#note").hidden = true;
  glass.hide();
  article.hidden = false;
  article.dataset.band = bandOf(row);
  $("#who").replaceChildren(...whoParts());
  $("#news2").replaceChildren(...news2Card(row).filter(Boolean));
  $("#qsofa").replaceChildren(...qsofaCard(row).filter(Boolean));
  $("#risk").replaceChildren(...riskCard(row));
  drawWhy();
  const doubted = doubtedCard(row);
  $("#doubted").hidden = doubted === null;
  $("#doubted").replaceChildren(...(doubted ?? []));
  decision.show(row);
  banners.say("glass", glassSaid(row));
  banners.say("identity", row.identityHidden ? t("banner.identity") : null);
  banners.say("catching_up", row.catching_up && (row.catching_up.behind_minutes > 0
    ? t("banner.catching_up", { n: row.catching_up.behind_minutes }) : t("banner.catching_up_now")));
  banners.say("degraded", row.degraded ? t("banner.degraded") : null);
  tick();
}

function drawWhy() {
  const held = $("#why").contains(document.activeElement);
  const parts = whyCard(row, drawWhy);
  $("#why").hidden = parts === null;
  $("#why").replaceChildren(...(parts ?? []));
  if (held) $("#why button")?.focus();
}

function whoParts() {
  const facts = [years(row.age_years), word("sex_long", row.sex || "U")];
  if (row.record_number) facts.push(t("person.record", { number: row.record_number }));
  const place = [row.unit || t("person.unit_none"), row.bed].filter(Boolean).join(" ");
  const times = [];
  if (row.admitted_ms !== null) times.push(t("patient.admitted", { time: at(row.admitted_ms) }));
  if (row.aliases_count > 1) times.push(count("person.aliases", row.aliases_count));
  return [
    h("div", {}, h("h1", { class: row.name === null ? "hidden-name" : "" }, nameOf(row)), h("p", {}, facts.filter(Boolean).join(" · "))),
    h("div", { class: "place" }, h("p", { class: "place-name" }, place), h("p", { class: "quiet" }, times.join(" · "))),
    h("div", { class: "newest" }, h("p", { id: "newest" }), row.scored_ms === null ? null : h("p", { class: "quiet" }, t("patient.scored", { time: at(row.scored_ms) }))),
    h("p", { class: "marks" }, badges(row)),
  ];
}

function drawLabs(history) {
  const rest = row.vitals.filter((v) => !inStrips(v.parameter));
  $("#labs").hidden = rest.length === 0;
  $("#labs").replaceChildren(h("h2", {}, t("patient.labs")),
    h("table", { class: "labs" },
      h("thead", { class: "sr" }, h("tr", {}, [t("patient.parameter"), t("patient.value"), t("patient.time")].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rest.map((v) => h("tr", {}, h("th", { scope: "row" }, v.label),
        h("td", { class: "value" }, reading(v), change(history.vitals[v.parameter])),
        h("td", { class: "quiet small" }, v.at_ms === null ? "" : v.at_ms <= 0 ? relative(v.at_ms) : at(v.at_ms)))))));
}

/** Whether the newest value is above or below the one before. */
function change(points) {
  if (!points || points.length < 2) return null;
  const [before, last] = points.slice(-2).map(([, value]) => value);
  if (before === last) return null;
  return h("span", { class: "quiet" }, " ", icon(last > before ? "up" : "down"), h("span", { class: "sr" }, t(last > before ? "trend.up" : "trend.down")));
}

function tick() {
  tickState();
  banners.tick(now());
  const newest = $("#newest");
  if (!row || !newest) return;
  tickDoubts($("#doubted"));
  const late = overdue(row, now());
  const last = $("#news2 .last-said");
  if (last && row.news2?.last) last.textContent = lastSaid(row, now());
  newest.replaceChildren(row.data_ms === null ? t(row.doubted.length ? "status.never_usable" : "status.never") : t("patient.newest", { age: ago(now() - row.data_ms) }), " ",
    ...(late ? [h("span", { class: "badge overdue", title: staleHelp(row) }, icon("clock"), t("status.stale"))] : []));
}

function onState(state, lastGood) {
  showState(state, lastGood);
  document.body.classList.toggle("off", state === "off");
  banners.offline(state === "off" ? lastGood : null);
  banners.say("slow", state === "slow" ? t("banner.slow") : null);
  if (state !== "session") return;
  glass.hide();
  leave("signin.signed_out");
  banners.say("session", h("span", {}, t("banner.session"), " ",
    h("a", { href: `/login?next=${encodeURIComponent(location.pathname)}` }, t("banner.session_link"))));
}

for (const input of document.querySelectorAll('input[name="window"]')) {
  input.addEventListener("change", () => course.window(Number(input.value)));
}
course.window(WINDOW_DEFAULT_H);
startShell(() => {
  if (!decision.close() && !glass.close()) location.assign($("#back").href);
});
const look = keepFresh(load, onState);
setInterval(tick, TICK_MS);
