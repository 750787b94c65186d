// What every page has: the account menu, display, language, keys help and signing out.
import { $ } from "./dom.js";
import { me, post } from "./api.js";

const YEAR_S = 365 * 24 * 3600;

export function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR_S}; samesite=lax`;
}

/** Wire the shell; `onEscape` is what Esc does when nothing is open. */
export function startShell(onEscape = () => {}) {
  for (const input of document.querySelectorAll('input[name="theme"]')) {
    input.addEventListener("change", () => {
      document.documentElement.dataset.theme = input.value;
      remember("theme", input.value);
      dispatchEvent(new Event("themechange"));
    });
  }
  for (const link of document.querySelectorAll("[data-lang]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const address = new URL(location.href);
      address.searchParams.set("lang", link.dataset.lang);
      location.replace(address);
    });
  }
  for (const button of document.querySelectorAll("#logout, [data-logout]")) {
    button.addEventListener("click", signOut);
  }
  $("#print")?.addEventListener("click", () => print());
  $("#open-keys")?.addEventListener("click", () => $("#keys").showModal());
  document.addEventListener("click", (event) => {
    const menu = $("#account");
    if (menu?.open && !menu.contains(event.target)) menu.open = false;
  });
  showDemo();
  document.addEventListener("keydown", (event) => escape(event, onEscape));
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !typing(event)) $("#keys")?.showModal();
  });
}

function escape(event, onEscape) {
  if (event.key !== "Escape" || event.defaultPrevented || $("dialog[open]")) return;
  const menu = $("#account");
  if (menu?.open) {
    menu.open = false;
    $("summary", menu).focus();
    return;
  }
  onEscape(event);
}

/** Whether a key press belongs to a field, or to the browser (Ctrl, Alt, Meta). */
export function typing(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  return Boolean(event.target.closest?.("input:not([type=radio]), select, textarea, dialog[open]"));
}

async function showDemo() {
  if (!$("#account")) return;
  try {
    $("#demo").hidden = !(await me()).demo;
  } catch {
    // Nothing to show: what else is on the page says that the server cannot be reached.
  }
}

async function signOut() {
  try {
    await post("/auth/logout", {});
  } finally {
    location.assign("/logout");
  }
}
