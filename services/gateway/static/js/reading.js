// A reading in words: one that counts, or one that was sent and does not.
import { h, icon } from "./dom.js";
import { ago, asSent, at, now, quantity } from "./format.js";
import { t, word } from "./i18n.js";

const LEVELS = "ACVPU";

/** A newest value in words: levels of consciousness by their letter, a coma score by its name. */
export function reading(vital) {
  if (vital.parameter === "consciousness") return vital.text || LEVELS[vital.value] || "";
  if (vital.parameter === "gcs") return t("value.gcs", { n: vital.value });
  if (vital.parameter === "ventilated") return t(vital.value ? "value.yes" : "value.no");
  return vital.text || quantity(vital.value, vital.unit);
}

const sent = (doubted) => (doubted.text ? asSent(doubted.text) : reading(doubted));
const whyNot = (doubted) => t("value.not_used", { why: word("doubt", doubted.finding || "unknown") });

/** "930 %, not used: implausible value". */
export const doubtText = (doubted) => t("value.sent", { value: sent(doubted), why: whyNot(doubted) });

/** The same, marked by a shape too. */
export function doubtMark(doubted) {
  return h("span", { class: "doubt" }, icon("unused"), h("span", {}, doubtText(doubted)));
}

/** All that was sent and does not count, with time and age; null when there is nothing. */
export function doubtedCard(row) {
  if (!row.doubted.length) return null;
  const heads = [t("patient.parameter"), t("patient.value"), t("patient.time")];
  return [h("h2", { id: "doubted-title" }, icon("unused"), t("patient.doubted")),
    h("p", { class: "quiet small" }, t("patient.doubted_help")),
    h("table", { class: "doubts" },
      h("thead", { class: "sr" }, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, row.doubted.map((d) => h("tr", {}, h("th", { scope: "row" }, d.label), h("td", {}, doubtMark(d)),
        h("td", { class: "quiet small" }, d.at_ms === null ? d.at_period : [at(d.at_ms), " · ", h("span", { class: "doubt-age", "data-at": d.at_ms }, ago(now() - d.at_ms))])))))];
}

/** Refresh the ages in it. */
export function tickDoubts(card) {
  for (const age of card.querySelectorAll(".doubt-age")) {
    const text = ago(now() - Number(age.dataset.at));
    if (age.textContent !== text) age.textContent = text;
  }
}
