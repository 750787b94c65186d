// Breaking the glass: looking at a patient without a care relation, for a coded reason, for a while.
import { post, Refused } from "./api.js";
import { $, h, icon } from "./dom.js";
import { at } from "./format.js";
import { t, word } from "./i18n.js";

const REASONS = ["emergency", "covering", "handover", "consultation"];
const REFUSED = { 404: "glass.unknown", 429: "glass.too_many", 503: "glass.away" };

/** The card in place of a patient who is not the viewer's; it keeps an open form through refreshes. */
export class Glass {
  #open = false;
  #busy = false;

  /** `id`: the patient; `opened` is called once the patient may be looked at. */
  constructor(section, id, opened) {
    this.section = section;
    this.id = id;
    this.opened = opened;
  }

  show() {
    if (!this.section.hidden) return;
    this.section.hidden = false;
    this.#draw();
  }

  hide() {
    if (this.section.hidden) return;
    if (this.section.contains(document.activeElement)) $("#main").focus();
    this.#open = false;
    this.section.hidden = true;
    this.section.replaceChildren();
  }

  /** Close the form; true when there was one. */
  close() {
    if (this.section.hidden || !this.#open) return false;
    this.#open = false;
    this.#draw("button");
    return true;
  }

  #draw(focus = "") {
    this.section.replaceChildren(
      h("h1", { id: "glass-title" }, icon("warn"), t("glass.title")),
      h("p", {}, t("glass.help")),
      this.#open ? this.#form() : h("div", { class: "buttons" },
        h("button", { type: "button", class: "button", "aria-expanded": "false", onclick: () => this.#ask() }, t("glass.break"))),
      h("p", { role: "alert", class: "small warn-line" }),
    );
    if (focus) $(focus, this.section)?.focus();
  }

  #ask() {
    this.#open = true;
    this.#draw("input");
  }

  #form() {
    const form = h("form", { class: "draft" },
      h("fieldset", {}, h("legend", {}, t("glass.reason")),
        REASONS.map((code) => h("label", {}, h("input", { type: "radio", name: "reason", value: code, required: true }),
          h("span", {}, word("glass_reason", code))))),
      h("p", { class: "small" }, t("glass.recorded")),
      h("div", { class: "buttons" }, h("button", { class: "button primary" }, t("glass.look")),
        h("button", { type: "button", class: "button", onclick: () => this.close() }, t("decision.cancel"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(new FormData(form).get("reason"));
    });
    return form;
  }

  async #send(reason) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await post(`/v1/patients/${encodeURIComponent(this.id)}/glass`, { reason });
      this.#open = false;
      this.opened();
    } catch (error) {
      // 409: the patient has become the viewer's meanwhile.
      if (error instanceof Refused && error.status === 409) this.opened();
      else $("[role=alert]", this.section).textContent = t((error instanceof Refused && REFUSED[error.status]) || "glass.failed");
    } finally {
      this.#busy = false;
    }
  }
}

/** What the banner says while a patient is shown without a care relation; null otherwise. */
export function glassSaid(row) {
  if (!row?.glass) return null;
  return t("banner.glass", { reason: word("glass_reason", row.glass.reason), time: at(row.glass.until_ms) });
}
