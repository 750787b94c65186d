// The scores now: what each part gives, and what is missing.
import { h, icon, tile } from "./dom.js";
import { ago, now } from "./format.js";
import { t, word } from "./i18n.js";
import { doubtMark, reading } from "./reading.js";
import { bandAtMost, bandOf, hasScore, lastSaid, listed, scoreOf, totalText } from "./row.js";

const NEWS2_PARTS = ["resp_rate", "spo2", "on_oxygen", "sbp", "pulse", "acvpu", "temp_c"];
const QSOFA_PARTS = ["resp_rate", "sbp", "mentation"];
// Which measured parameters stand for a part, and what a score calls a part that it misses.
const MEASURED = {
  spo2: ["spo2", "sao2"], on_oxygen: ["oxygen_flow", "fio2"], sbp: ["sbp", "sbp_invasive"], pulse: ["heart_rate"],
  acvpu: ["consciousness", "gcs"], temp_c: ["temperature"], mentation: ["gcs", "consciousness"],
};
const MISSED_AS = { gcs: "mentation" };
const ROOM_AIR = 0.21;

export function news2Card(row) {
  const { news2 } = row;
  const band = bandOf(row);
  const may = bandAtMost(news2);
  const score = row.scores.find((s) => s.name.toLowerCase() === "news2");
  const last = news2?.last;
  const head = h("div", { class: last ? "card-score last" : "card-score", "data-band": band }, tile(band, hasScore(row) ? scoreOf(row).total : null),
    h("div", {}, h("h2", {}, t("column.score")),
      h("p", { class: "band-word" }, t(`band.${band}`), !hasScore(row) ? null : h("span", { class: "quiet total-text" }, ` ${totalText(news2)}`)),
      last ? null : h("p", { class: `arrow-line ${row.trend}` }, row.trend === "none" ? null : icon(row.trend), t(`trend.${row.trend}`)),
      may ? h("p", { class: "may-be", "data-band": may }, t("score.may_be", { band: t(`band.${may}`) })) : null));
  const then = last ? h("p", { class: "small warn-line last-said" }, lastSaid(row, now())) : null;
  if (!score || score.covered === false) return [head, then, unscored(row, score)];
  return [head, then, partsTable(score, NEWS2_PARTS, row), hasScore(row) ? completeness(score) : unscored(row, { reason: "no_vitals" })];
}

export function qsofaCard(row) {
  const score = row.scores.find((s) => s.name.toLowerCase() === "qsofa");
  const head = h("div", { class: "card-score" }, h("div", {}, h("h2", {}, t("column.qsofa")),
    row.qsofa?.total === null || !row.qsofa ? null : h("p", { class: row.qsofa.positive ? "band-word positive" : "band-word" }, t("qsofa.of", { n: row.qsofa.total }), " ",
      h("span", { class: "total-text" }, row.qsofa.positive ? t("qsofa.positive") : row.qsofa.complete ? t("qsofa.negative") : t("qsofa.incomplete")))));
  if (!score || score.covered === false) return [head, unscored(row, score)];
  return [head, partsTable(score, QSOFA_PARTS, row), flags(row), completeness(score)];
}

function unscored(row, score) {
  const why = row.not_scored || score?.reason;
  return h("p", { class: "quiet" }, t("status.not_scored", { why: why ? word("reason", why) : t("band_rule.unknown") }));
}

function flags(row) {
  return row.red_flags.length ? h("ul", { class: "chips" }, row.red_flags.map((code) => h("li", { class: "chip flag" }, icon("flag"), word("flag", code)))) : null;
}

function completeness(score) {
  if (!score.missing?.length) return h("p", { class: "quiet small" }, t("score.complete"));
  return h("p", { class: "small warn-line" }, t("score.missing", { list: listed(score.missing) }));
}

function partsTable(score, usual, row) {
  const parts = score.parts ?? {};
  const missed = (score.missing ?? []).map((name) => MISSED_AS[name] ?? name);
  const names = [...new Set([...usual.filter((name) => name in parts || missed.includes(name)), ...Object.keys(parts)])];
  return h("table", { class: "parts" },
    h("caption", { class: "sr" }, t("patient.parts")),
    h("thead", { class: "sr" }, h("tr", {}, [t("patient.parameter"), t("patient.value"), t("patient.points")].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, names.map((name) => {
      const known = name in parts;
      const vital = measured(name, row);
      const doubts = row.doubted.filter((d) => d.needed_as && sourcesOf(name).includes(d.parameter));
      return h("tr", { class: known ? "" : "missing" }, h("th", { scope: "row" }, word("parameter", name)),
        h("td", { class: "value", title: known && vital?.at_ms ? ago(now() - vital.at_ms) : null },
          known ? (vital ? said(vital, name) : "") : doubts.length ? null : unknown(vital), doubts.map(doubtMark)),
        h("td", {}, known ? h("span", { class: "points", "data-points": parts[name] }, String(parts[name])) : null));
    })));
}

/** Why a part has no points: never measured, or so long ago that it does not count. */
function unknown(vital) {
  return vital?.at_ms > 0 ? t("patient.last_measured", { age: ago(now() - vital.at_ms) }) : t("patient.missing");
}

const sourcesOf = (name) => MEASURED[name] ?? [name];

/** The newest of the values that may stand for a part; of two at one time the first named. */
function measured(name, row) {
  const found = sourcesOf(name).map((source) => row.vitals.find((v) => v.parameter === source)).filter(Boolean);
  return found.sort((a, b) => (b.at_ms ?? 0) - (a.at_ms ?? 0))[0] ?? null;
}

function said(vital, part) {
  if (part === "on_oxygen" && vital.value <= (vital.parameter === "fio2" ? ROOM_AIR : 0)) return t("value.room_air");
  return reading(vital);
}
