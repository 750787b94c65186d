// Searching: typing narrows the list that is shown; Enter asks the server for whole names and
// record numbers (each such search is audited, so it never runs while typing).
import { post } from "./api.js";
import { $, h, icon, tile } from "./dom.js";
import { t } from "./i18n.js";
import { bandOf, hasScore, nameOf, scoreOf, whoLine } from "./row.js";

const LETTERS_MIN = 2;

export function startSearch(narrow) {
  const field = $("#q");
  const found = $("#found");
  field.addEventListener("input", () => {
    narrow(field.value);
    found.hidden = true;
    $("#search-hint").hidden = field.value.trim() === "";
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    clear();
    field.blur();
  });
  $("#search").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text.length < LETTERS_MIN) return;
    try {
      const body = await post("/v1/search", { q: text }); // in the body: addresses end up in logs
      show(body.identity === "ok" ? body.patients : null, body.others);
    } catch {
      show(null);
    }
  });

  function clear() {
    field.value = "";
    found.hidden = true;
    $("#search-hint").hidden = true;
    narrow("");
  }

  function show(patients, others = []) {
    found.hidden = false;
    const head = h("div", { class: "found-head" }, h("h2", {}, t("worklist.search_results")),
      h("button", { type: "button", class: "button", onclick: clear }, t("worklist.search_clear")));
    if (!patients?.length && !others.length) {
      found.replaceChildren(head, h("p", {}, t(patients ? "worklist.search_none" : "worklist.search_failed")));
      return;
    }
    const none = patients?.length ? null : h("p", {}, t("worklist.search_none"));
    found.replaceChildren(...[head, none].filter(Boolean), h("ul", {}, (patients ?? []).map((row) => h("li", { "data-band": bandOf(row) },
      tile(bandOf(row), hasScore(row) ? scoreOf(row).total : null), h("a", { href: `/patients/${encodeURIComponent(row.id)}` }, nameOf(row)),
      h("span", { class: "quiet" }, `${whoLine(row)} · ${[row.unit, row.bed].filter(Boolean).join(" ")}`))),
      others.map((other) => h("li", { class: "other" }, icon("warn"), h("a", { href: `/patients/${encodeURIComponent(other)}` }, t("worklist.search_other")),
        h("span", { class: "quiet" }, t("worklist.search_other_help"))))));
  }
}
