// Moving through the list without a mouse: focus goes from one patient's link to the next.
import { $ } from "./dom.js";
import { typing } from "./shell.js";

const STEP = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

export function startKeys(table) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !typing(event)) {
      event.preventDefault();
      $("#q").focus();
      return;
    }
    const step = STEP[event.key];
    const fromSearch = event.target === $("#q") && event.key === "ArrowDown";
    if (!step || (typing(event) && !fromSearch) || event.target.closest("details[open], input[type=radio]")) return;
    const links = [...table.querySelectorAll("tr.row:not([hidden]) .row-link")];
    if (!links.length) return;
    event.preventDefault();
    const here = links.indexOf(document.activeElement);
    const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + step));
    links[next].focus({ preventScroll: true });
    links[next].closest("tr").scrollIntoView({ block: "nearest" });
  });
}
