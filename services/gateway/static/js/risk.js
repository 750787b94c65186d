// The ICU risk: how high, compared with what, and what moves it.
import { linear } from "./axis.js";
import { h, icon, s, sr } from "./dom.js";
import { at, number, percent } from "./format.js";
import { t, word } from "./i18n.js";
import { reading } from "./reading.js";

const SHOWN = 7;
const SMALL = 0.005;
let expanded = false;

export function riskCard(row) {
  const risk = row.risks[0];
  const title = h("h2", {}, t("icu.title"));
  if (!risk) return [title, h("p", { class: "quiet" }, row.not_scored ? t("status.not_scored", { why: word("reason", row.not_scored) }) : "–")];
  if (!risk.covered || risk.probability === null) {
    return [title, h("p", { class: "quiet" }, t("icu.not_covered", { why: word("reason", risk.reason || "model_unavailable") })), model(risk)];
  }
  const delta = row.icu_risk?.delta_6h ?? null;
  return [title,
    h("p", { class: "big" }, percent(risk.probability)),
    delta === null ? null : deltaLine(delta * 100),
    risk.baseline_probability === null ? null : scale(risk),
    model(risk)].filter(Boolean);
}

function deltaLine(points) {
  if (Math.abs(points) < 0.05) return h("p", { class: "quiet" }, t("risk.delta_flat"));
  return h("p", { class: `delta ${points > 0 ? "up" : "down"}` }, icon(points > 0 ? "raise" : "lower", 12),
    t(points > 0 ? "risk.delta_up" : "risk.delta_down", { n: number(Math.abs(points), 1) }));
}

/** This patient against the average one, on a line from 0 to 100 %. */
function scale(risk) {
  const x = (p) => 4 + p * 232;
  return h("div", { class: "risk-scale" },
    s("svg", { viewBox: "0 0 240 26", "aria-hidden": "true" },
      s("line", { class: "track", x1: 4, x2: 236, y1: 13, y2: 13 }),
      s("line", { class: "reach", x1: x(risk.baseline_probability), x2: x(risk.probability), y1: 13, y2: 13 }),
      s("line", { class: "base", x1: x(risk.baseline_probability), x2: x(risk.baseline_probability), y1: 4, y2: 22 }),
      s("circle", { class: "this", cx: x(risk.probability), cy: 13, r: 6.5 })),
    h("dl", {}, h("div", {}, h("dt", {}, h("span", { class: "key this", "aria-hidden": "true" }), t("icu.this")), h("dd", {}, percent(risk.probability))),
      h("div", {}, h("dt", {}, h("span", { class: "key base", "aria-hidden": "true" }), t("icu.baseline")), h("dd", {}, percent(risk.baseline_probability)))));
}

function model(risk) {
  return h("p", { class: "quiet small" }, t("icu.model", { name: word("model", risk.model), version: risk.version }));
}

/** The contributions as a table with signed bars, the largest first. */
export function whyCard(row, redraw) {
  const risk = row.risks.find((r) => r.covered && r.contributions.length);
  if (!risk) return null;
  const sorted = risk.contributions.filter((c) => Math.abs(c.attribution) >= SMALL)
    .sort((a, b) => Math.abs(b.attribution) - Math.abs(a.attribution));
  const shown = expanded || sorted.length <= SHOWN + 1 ? sorted : sorted.slice(0, SHOWN);
  const rest = sorted.slice(shown.length);
  const restSum = rest.reduce((sum, c) => sum + c.attribution, 0);
  const drawn = [...shown.map((c) => c.attribution), restSum];
  const x = linear([Math.min(0, ...drawn), Math.max(0, ...drawn)], [1, 99]);
  const lines = shown.map((c) => contribution(c.label, detail(c), c.attribution, x));
  if (rest.length) lines.push(contribution(t("icu.others", { n: rest.length }), "", restSum, x));
  const button = sorted.length > SHOWN + 1 ? h("button", { type: "button", class: "link", "aria-expanded": String(expanded), onclick: () => {
    expanded = !expanded;
    redraw();
  } }, expanded ? t("icu.show_fewer") : t("icu.show_all", { n: sorted.length })) : null;
  return [h("h2", {}, t("icu.why")), h("p", { class: "quiet small" }, t("icu.why_help")),
    h("table", { class: "effects" },
      h("thead", { class: "sr" }, h("tr", {}, h("th", { scope: "col" }, t("icu.input")), h("td", {}), h("th", { scope: "col" }, t("icu.effect")))),
      h("tbody", {}, lines)),
    button,
    h("p", { class: "quiet small footnote" }, foot(risk).join(" "))].filter(Boolean);
}

function detail(c) {
  if (c.not_measured) return t("icu.not_measured");
  const parts = [];
  if (c.value !== null) parts.push(c.parameter === "age" ? number(c.value, 0) : reading({ ...c, text: "" }));
  if (c.at_ms !== null) parts.push(t("chart.at", { time: at(c.at_ms) }));
  return parts.join(" ");
}

function contribution(label, details, attribution, x) {
  const up = attribution >= 0;
  const [from, to] = [x(0), x(attribution)];
  return h("tr", { class: up ? "raises" : "lowers" },
    h("th", { scope: "row" }, label, details ? h("span", { class: "quiet small" }, details) : null),
    h("td", { class: "bar-cell" }, s("svg", { class: "bars", viewBox: "0 0 100 14", "aria-hidden": "true", preserveAspectRatio: "none" },
      s("rect", { class: "bar-rect", x: Math.min(from, to), y: 2, width: Math.abs(to - from), height: 10 }),
      s("line", { class: "zero", x1: from, x2: from, y1: 0, y2: 14 }))),
    h("td", { class: "odds" }, icon(up ? "raise" : "lower", 12), t("icu.odds", { n: number(Math.exp(attribution), 2) }),
      sr(t(up ? "risk.raises" : "risk.lowers"))));
}

function foot(risk) {
  const said = [];
  if (risk.completeness_gap !== null) said.push(t("icu.gap", { n: number(Math.abs(risk.completeness_gap), 3) }));
  if (risk.imputed_ratio !== null) said.push(t("icu.imputed", { n: percentWhole(risk.imputed_ratio) }));
  return said;
}

const percentWhole = (ratio) => `${number(ratio * 100, 0)}%`;
