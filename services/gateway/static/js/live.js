// Keeping a view fresh: server-sent events say when to look, polling takes over when they cannot.
import { $ } from "./dom.js";
import { Refused } from "./api.js";
import { ago, now } from "./format.js";
import { t } from "./i18n.js";

const POLL_MS = 5_000;
const BACKSTOP_MS = 12_000;
const JITTER_MS = 1_500;
const RECONNECT_MS = 20_000;
const LOST_AFTER_MS = 15_000;

/**
 * Call `load()` now and whenever it may give something new. `load` resolves when the view is
 * current and throws when it could not be read. `onState` hears "live", "poll", "off",
 * "slow" or "session".
 */
export function keepFresh(load, onState) {
  let timer = null;
  let loading = false;
  let again = false;
  let streaming = false;
  let lastGood = 0;
  let stopped = false;

  async function look() {
    if (stopped) return;
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    clearTimeout(timer);
    try {
      await load();
      lastGood = now();
      onState(streaming ? "live" : "poll", lastGood);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        stopped = true;
        source?.close();
        onState("session", lastGood);
        return;
      }
      // A server that answers with an error is busy; when that lasts, the list is as good as lost.
      const slow = error instanceof Refused && now() - lastGood < LOST_AFTER_MS;
      onState(slow ? "slow" : "off", lastGood);
      if (!(error instanceof Refused || error instanceof TypeError || error instanceof DOMException)) throw error;
    } finally {
      loading = false;
    }
    if (again) {
      again = false;
      look();
      return;
    }
    const wait = streaming ? BACKSTOP_MS : POLL_MS;
    timer = setTimeout(look, wait + Math.random() * JITTER_MS);
  }

  let source = null;

  function listen() {
    if (stopped) return;
    source = new EventSource("/v1/stream");
    source.addEventListener("open", () => {
      streaming = true;
      look();
    });
    source.addEventListener("worklist", look);
    source.addEventListener("error", () => {
      // The browser reconnects by itself unless the answer was an error: then we do, later.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, RECONNECT_MS);
      if (streaming) {
        streaming = false;
        look();
      }
    });
  }

  listen();
  addEventListener("online", look);
  addEventListener("offline", () => onState("off", lastGood));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  look();
  return look;
}

/** The small status at the top right. */
export function showState(state, lastGood) {
  const live = $("#live");
  live.dataset.state = state;
  live.dataset.since = lastGood;
  $("#live-word").textContent = { live: t("live.on"), poll: t("live.poll") }[state] ?? t("live.off");
  tickState();
}

export function tickState() {
  const live = $("#live");
  const since = Number(live.dataset.since);
  $("#live-age").textContent = since ? t("live.updated", { age: ago(now() - since) }) : "";
}
