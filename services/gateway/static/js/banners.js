// The lines above the content that say what is not as it should be.
import { $, h, icon } from "./dom.js";
import { ago, full, now } from "./format.js";
import { t } from "./i18n.js";

const KIND = { glass: "warn", offline: "bad", identity: "warn", degraded: "warn", catching_up: "info", slow: "warn", session: "bad", cut: "info", stale: "info" };
const ICON = { bad: "offline", warn: "warn", info: "clock" };

class Banners {
  #shown = new Map();
  #lastGood = null;

  /** Show `text` (a string or a node) under `name`, or take it away with null. */
  say(name, text) {
    const old = this.#shown.get(name);
    if (!text) {
      old?.remove();
      this.#shown.delete(name);
      return;
    }
    if (old && old.said === text) return;
    const kind = KIND[name];
    const banner = h("p", { class: `banner ${kind}`, "data-banner": name }, icon(ICON[kind]), h("span", {}, text));
    banner.said = text;
    if (old) old.replaceWith(banner);
    else $("#banners").append(banner);
    this.#shown.set(name, banner);
  }

  /** The connection is lost since `lastGood` (0: never had it), or back with null. */
  offline(lastGood) {
    this.#lastGood = lastGood;
    this.tick(now());
    if (lastGood === null) this.say("offline", null);
  }

  tick(at_ms) {
    if (this.#lastGood === null) return;
    this.say("offline", this.#lastGood
      ? t("banner.offline", { time: full(this.#lastGood), age: ago(at_ms - this.#lastGood) })
      : t("banner.slow"));
  }
}

export const banners = new Banners();
