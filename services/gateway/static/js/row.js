// One row of the worklist: built once, then each cell is refilled only when what it says changes.
import { h, icon, sr, tile } from "./dom.js";
import { ago, now, number, overdue, percent, quantity, sex, signed, years } from "./format.js";
import { t, word } from "./i18n.js";
import { doubtText } from "./reading.js";
import { sparkline } from "./spark.js";

export const COLUMNS = ["score", "patient", "bed", "trend", "qsofa", "icu", "why", "age"];
const REASONS_SHOWN = 3;
const EFFECT_SHOWN_MIN = 0.005;
const OUTSIDE_ICU = new Set(["not_icu", "no_icu_admission", "no_icu_stay"]);

export const bandOf = (row) => row.news2?.band ?? "unknown";
/** The score that stands: an earlier one (`last`) while too little is known now to say it is better. */
export const scoreOf = (row) => row.news2?.last ?? row.news2;
/** Whether NEWS2 says anything: with no input at all its total of 0 means nothing. */
export const hasScore = (row) => bandOf(row) !== "unknown" && scoreOf(row).total !== null;
/** "13 h ago": when an earlier score that stands was measured (scored, while real times are hidden). */
export const lastAge = (last, at_ms) => ago(at_ms - (last.at_ms ?? last.scored_ms));
export const nameOf = (row) => row.name ?? (row.identityHidden ? t("status.identity_hidden") : t("person.unnamed"));

/** The band that the full total could reach, when it is above the present one. */
export function bandAtMost(news2) {
  if (!news2 || news2.last || news2.complete || news2.total_max === null) return null;
  const reach = news2.total_max >= 7 ? "high" : news2.total_max >= 5 ? "medium" : "low";
  const rank = ["low", "low-medium", "medium", "high"];
  return rank.indexOf(reach) > rank.indexOf(news2.band) && news2.band !== "unknown" ? reach : null;
}

/** "5 (5–8)" when inputs are missing, else "5". */
export function totalText(news2) {
  const score = news2?.last ?? news2;
  if (!score || score.total === null || news2.band === "unknown") return "–";
  if (score.complete || score.total_min === score.total_max) return String(score.total);
  return t("score.range", { total: score.total, min: score.total_min, max: score.total_max });
}

/** A `<tr>` with its link; `fillRow` gives it its content. */
export function newRow(id) {
  const link = h("a", { class: "row-link", href: `/patients/${encodeURIComponent(id)}` });
  const cells = COLUMNS.map((name) => h(name === "patient" ? "th" : "td", {
    class: `c-${name}`, role: name === "patient" ? "rowheader" : "cell",
    scope: name === "patient" ? "row" : null, "data-column": ["qsofa", "icu"].includes(name) ? t(`column.${name}`) : null,
  }));
  cells[1].append(link, h("span", { class: "who-line quiet" }), h("span", { class: "marks" }));
  const element = h("tr", { class: "row", role: "row", "data-id": id }, cells);
  element.signatures = [];
  return element;
}

/** Fill the cells; returns whether a cell that a clinician reads has changed. */
export function fillRow(element, row) {
  element.dataset.band = bandOf(row);
  element.classList.toggle("closed", row.status === "closed");
  let changed = false;
  COLUMNS.forEach((name, i) => {
    const signature = JSON.stringify(SAID[name](row));
    if (element.signatures[i] === signature) return;
    changed ||= element.signatures[i] !== undefined && name !== "age";
    element.signatures[i] = signature;
    if (name === "patient") fillPatient(element.cells[i], row);
    else element.cells[i].replaceChildren(...FILLED[name](row));
  });
  return changed;
}

/** Refresh the age of the newest data, and of an earlier score that stands. */
export function tickRow(element, row, at_ms) {
  if (row.news2?.last) {
    const age = lastAge(row.news2.last, at_ms);
    for (const place of element.querySelectorAll(".last-age")) if (place.textContent !== age) place.textContent = age;
    const said = element.querySelector(".last-said");
    const text = lastSaid(row, at_ms);
    if (said && said.textContent !== text) said.textContent = text;
  }
  const late = overdue(row, at_ms);
  element.classList.toggle("stale", late);
  const cell = element.cells[COLUMNS.length - 1];
  const text = row.data_ms === null ? "–" : ago(at_ms - row.data_ms);
  if (cell.dataset.said === text + late) return;
  cell.dataset.said = text + late;
  cell.title = late ? staleHelp(row) : "";
  cell.replaceChildren(h("span", { class: "age" }, text),
    ...(late ? [h("span", { class: "badge overdue" }, icon("clock"), t("status.stale"))] : []));
}

/** Why a patient's data is marked overdue. */
export function staleHelp(row) {
  return row.news2?.last ? t("status.last_help") : t("status.stale_help", { interval: word("interval", bandOf(row)) });
}

/** "Last scored High 13 h ago, observations overdue". */
export function lastSaid(row, at_ms) {
  return t("score.last", { band: t(`band.${bandOf(row)}`), age: lastAge(row.news2.last, at_ms) });
}

// What each cell says, for comparing.
const SAID = {
  score: (row) => [row.news2, row.trend],
  patient: (row) => [row.name, row.age_years, row.sex, row.record_number, row.identityHidden, row.under_review,
    row.degraded, row.changed, row.status],
  bed: (row) => [row.unit, row.bed],
  trend: (row) => row.spark,
  qsofa: (row) => row.qsofa,
  icu: (row) => row.icu_risk && [row.icu_risk.covered, row.icu_risk.reason, shown(row.icu_risk.probability),
    shown(row.icu_risk.delta_6h)],
  why: (row) => [row.red_flags, row.not_scored, row.icu_risk?.top.slice(0, REASONS_SHOWN), row.news2?.missing, row.doubted,
    row.news2?.last && [bandOf(row), row.news2.last]],
  age: () => "age",
};
const shown = (p) => (p === null || p === undefined ? null : number(p, 3));

const FILLED = { score, bed, trend, qsofa, icu, why, age: () => [] };

function fillPatient(cell, row) {
  const [link, line, marks] = cell.children;
  link.textContent = nameOf(row);
  link.classList.toggle("hidden-name", row.name === null);
  line.replaceChildren(whoLine(row));
  marks.replaceChildren(...badges(row));
}

/** "67 y · F · 12345678": age, sex, record number. */
export function whoLine(row) {
  return [years(row.age_years), sex(row.sex), row.record_number].filter(Boolean).join(" · ");
}

export function badges(row) {
  const found = [];
  if (row.changed) found.push(h("span", { class: "badge new" }, t(`status.${row.changed}`)));
  if (row.status === "closed") found.push(h("span", { class: "badge" }, t("status.closed")));
  if (row.under_review) {
    found.push(h("span", { class: "badge review", title: t("status.under_review_help") }, icon("review"), t("status.under_review")));
  }
  if (row.degraded) found.push(h("span", { class: "badge warn" }, t("status.degraded")));
  return found;
}

function score(row) {
  const { news2 } = row;
  const band = bandOf(row);
  const may = bandAtMost(news2);
  const last = news2?.last;
  const open = hasScore(row) && !last && !news2.complete && news2.total_min !== news2.total_max;
  return [
    h("span", { class: last ? "score-line last" : "score-line" },
      tile(band, hasScore(row) ? scoreOf(row).total : null),
      sr(`${word("band", band)}, ${t("column.score")} ${totalText(news2)}, `),
      open ? h("span", { class: "range", "aria-hidden": "true", title: t("score.between", { min: news2.total_min, max: news2.total_max }) },
        t("score.range_only", { min: news2.total_min, max: news2.total_max })) : null,
      h("span", { class: `arrow ${row.trend}`, title: t(`trend.${row.trend}`) },
        row.trend === "none" ? null : icon(row.trend), sr(t(`trend.${row.trend}`)))),
    ...(last ? [h("span", { class: "last-line" }, icon("clock"), h("span", { class: "last-age" }, lastAge(last, now())))] : []),
    ...(may ? [h("span", { class: "may-be", "data-band": may }, t("score.may_be", { band: t(`band.${may}`) }))] : []),
  ];
}

function bed(row) {
  return [h("span", { class: "unit" }, row.unit || t("person.unit_none")), " ",
    h("span", { class: row.bed ? "bed" : "bed quiet" }, row.bed || t("person.bed_none"))];
}

function trend(row) {
  if (row.spark.length < 2) return [sr(t("trend.none"))];
  return [sparkline(row.spark, bandOf(row))];
}

function qsofa(row) {
  const { qsofa: q } = row;
  if (!q || q.total === null) return [h("span", { class: "quiet" }, "–")];
  return [h("span", { class: q.positive ? "q positive" : "q" },
    h("span", { class: "q-number" }, t("qsofa.of", { n: q.total })),
    h("span", { class: "q-word" }, q.positive ? t("qsofa.positive") : q.positive === null || !q.complete ? t("qsofa.incomplete") : t("qsofa.negative")))];
}

function icu(row) {
  const { icu_risk: risk } = row;
  if (!risk) return [h("span", { class: "quiet" }, "–")];
  if (!risk.covered || risk.probability === null) {
    const said = risk.reason ? word("reason", risk.reason) : "";
    // On a ward that is the rule: a dash keeps the list calm, the words are there for who asks.
    if (OUTSIDE_ICU.has(risk.reason)) return [h("span", { class: "quiet", title: said }, "–", sr(said))];
    return [h("span", { class: "quiet small" }, said || "–")];
  }
  const delta = risk.delta_6h;
  const points = delta === null ? null : delta * 100;
  return [h("span", { class: "p" }, percent(risk.probability)),
    ...(points === null || Math.abs(points) < 0.05 ? [] : [
      h("span", { class: `delta ${delta > 0 ? "up" : "down"}` },
        icon(delta > 0 ? "raise" : "lower", 12),
        h("span", { "aria-hidden": "true" }, t("risk.delta_short", { n: signed(points, 1) })),
        sr(t(delta > 0 ? "risk.delta_up" : "risk.delta_down", { n: number(Math.abs(points), 1) }))),
    ])];
}

function why(row) {
  const chips = row.red_flags.map((code) =>
    h("li", { class: "chip flag" }, icon("flag"), word("flag", code)));
  if (row.news2?.last) {
    chips.unshift(h("li", { class: "chip last", title: t("status.last_help") }, icon("clock"), h("span", { class: "last-said" }, lastSaid(row, now()))));
  }
  const unscored = row.not_scored || (row.news2 && !hasScore(row) ? "no_vitals" : "");
  if (unscored) chips.push(h("li", { class: "chip plain" }, t("status.not_scored", { why: word("reason", unscored) })));
  for (const reason of (row.icu_risk?.top ?? []).slice(0, REASONS_SHOWN)) {
    if (Math.abs(reason.attribution) >= EFFECT_SHOWN_MIN) chips.push(reasonChip(reason));
  }
  chips.push(...gaps(row));
  return chips.length ? [h("ul", { class: "chips" }, chips)] : [];
}

/** What NEWS2 misses; where something was sent for it, that and why it does not count. */
function gaps(row) {
  const needed = row.news2 ? row.doubted.filter((d) => d.needed_as) : [];
  const missing = hasScore(row) ? row.news2.missing : [];
  const found = needed.filter((d) => !missing.includes(d.needed_as)).map((d) => h("li", { class: "chip doubted" },
    icon("unused"), h("span", {}, t("value.named", { name: d.label, sent: doubtText(d) }))));
  if (!missing.length) return found;
  const list = missing.map((name) => {
    const sent = needed.filter((d) => d.needed_as === name).map(doubtText);
    return sent.length ? t("value.missing_sent", { name: word("parameter", name), sent: sent.join("; ") }) : name;
  });
  const some = needed.length > found.length;
  return [h("li", { class: some ? "chip missing doubted" : "chip missing" }, some ? icon("unused") : null,
    h("span", {}, t("score.missing", { list: listed(list) }))), ...found];
}

/** Names of inputs in a row; a server that sends codes instead of words is put into words. */
export function listed(names) {
  return names.map((name) => word("parameter", name)).join(", ");
}

function reasonChip(reason) {
  const raises = reason.attribution > 0;
  const value = reason.value === null ? "" : ` ${quantity(reason.value, reason.unit, 1)}`;
  return h("li", { class: raises ? "chip raises" : "chip lowers", title: t(raises ? "risk.raises" : "risk.lowers") },
    icon(raises ? "raise" : "lower", 12), reason.label, h("b", {}, value), sr(t(raises ? "risk.raises" : "risk.lowers")));
}
