// Accepting or overriding a report, with a coded reason; sent once whatever the network does.
import { attemptKey, post } from "./api.js";
import { h, icon } from "./dom.js";
import { at } from "./format.js";
import { t, word } from "./i18n.js";

const REASONS = {
  accepted: ["agrees_with_assessment", "acting_on_it", "already_acted", "for_information"],
  overridden: ["known_and_expected", "measurement_wrong", "chronic_baseline", "palliative_or_limited_care",
    "already_treated", "not_my_patient", "other"],
};
const reasonWord = (decision, code) => (decision === "accepted" ? word("accept", code) : word("override", code));

/** The card keeps an open form through refreshes; a newer report closes it and says so. */
export class Decision {
  #row = null;
  #form = null; // { decision, event, key }
  #message = "";

  constructor(section) {
    this.section = section;
    section.tabIndex = -1; // takes the focus of a form that a newer report closes
  }

  show(row) {
    const moved = this.#form && this.#form.event !== row.event_id;
    if (moved) {
      this.#form = null;
      this.#message = t("decision.stale");
    }
    const same = this.#row && JSON.stringify(said(this.#row)) === JSON.stringify(said(row));
    this.#row = row;
    if (!same || moved) this.#redraw(moved);
  }

  /** Draw what may be in use: the chosen reason and the focus stay; a closed form's goes to the card. */
  #redraw(closed) {
    const parts = () => [...this.section.querySelectorAll("input, button")];
    const chosen = parts().find((part) => part.checked)?.value;
    const held = parts().indexOf(document.activeElement);
    this.#draw();
    for (const part of parts()) if (part.type === "radio" && chosen !== undefined) part.checked = part.value === chosen;
    if (held >= 0) (closed ? this.section : parts()[held])?.focus();
  }

  #draw(focus = "") {
    const row = this.#row;
    this.section.hidden = row.event_id === null;
    if (this.section.hidden) return;
    const open = row.decisions_open;
    const choose = (decision) => () => {
      this.#form = { decision, event: row.event_id, key: attemptKey() };
      this.#message = "";
      this.#draw("input");
    };
    this.section.replaceChildren(...[
      h("h2", {}, t("decision.title")),
      row.scored_ms === null ? null : h("p", { class: "quiet small" }, t("decision.about", { time: at(row.scored_ms) })),
      done(row),
      open ? null : h("p", { class: "small warn-line" }, t(closedBy(row))),
      this.#form ? this.#draft() : h("div", { class: "buttons" },
        h("button", { type: "button", class: "button", disabled: !open, onclick: choose("accepted") }, icon("check"), t("decision.accept")),
        h("button", { type: "button", class: "button", disabled: !open, onclick: choose("overridden") }, t("decision.override"))),
      h("p", { role: "status", class: "small warn-line" }, this.#message),
    ].filter(Boolean));
    if (focus) this.section.querySelector(focus)?.focus();
  }

  #draft() {
    const { decision } = this.#form;
    const form = h("form", { class: "draft" },
      h("fieldset", {}, h("legend", {}, t(decision === "accepted" ? "decision.reason_accept" : "decision.reason")),
        REASONS[decision].map((code, i) => h("label", {}, h("input", {
          type: "radio", name: "reason", value: code, required: true, checked: decision === "accepted" && i === 0,
        }), h("span", {}, reasonWord(decision, code))))),
      h("div", { class: "buttons" }, h("button", { class: "button primary" }, t("decision.send")),
        h("button", { type: "button", class: "button", onclick: () => this.#cancel() }, t("decision.cancel"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(new FormData(form).get("reason"));
    });
    return form;
  }

  /** Close the form; true when there was one. */
  close() {
    if (!this.#form) return false;
    this.#cancel();
    return true;
  }

  #cancel() {
    this.#form = null;
    this.#draw("button");
  }

  async #send(reason) {
    const { decision, event } = this.#form;
    // Sending the same again is the same attempt, and records nothing twice; anything else is a new one.
    if (this.#form.sent !== undefined && this.#form.sent !== reason) this.#form.key = attemptKey();
    this.#form.sent = reason;
    const { key } = this.#form;
    try {
      const stored = await post(`/v1/events/${encodeURIComponent(event)}/review`, { decision, reason }, { "Idempotency-Key": key });
      this.#row = { ...this.#row, review: { event_id: event, decision, reason, decided_ms: stored.decided_ms } };
      this.#form = null;
      this.#message = "";
      this.#draw("button");
    } catch {
      this.#message = t("decision.failed");
      this.section.querySelector("[role=status]").textContent = this.#message;
    }
  }
}

const said = (row) => [row.event_id, row.decisions_open, row.under_review, row.review, row.scored_ms, row.glass];

/** Why nothing can be decided. */
function closedBy(row) {
  if (row.glass) return "decision.glass";
  return row.under_review ? "status.under_review_help" : "decision.off";
}

function done(row) {
  if (!row.review) return null;
  const { decision, event_id, reason, decided_ms } = row.review;
  const values = { time: at(decided_ms), reason: reasonWord(decision, reason) };
  const text = decision === "accepted" ? t("decision.accepted", values) : t("decision.overridden", values);
  if (event_id !== row.event_id) return h("p", { class: "quiet small" }, t("decision.earlier", { text }));
  return h("p", { class: "done" }, icon("check"), text);
}
