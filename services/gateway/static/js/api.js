// Talking to /v1. Nothing of an answer is stored outside this page's memory.
import { lang } from "./i18n.js";

export class Refused extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}

let known = null;

/** Who is signed in; asked once. */
export function me() {
  known ??= get("/v1/me").then(({ body }) => body, (error) => {
    known = null;
    throw error;
  });
  return known;
}

/** GET as JSON. With `etag`, `{ same: true }` when nothing changed. A lost network throws TypeError. */
export async function get(path, { etag = null, timeoutMs = 8_000 } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": lang };
  if (etag) headers["If-None-Match"] = etag;
  const answer = await fetch(withLang(path), {
    headers, cache: "no-store", signal: AbortSignal.timeout(timeoutMs),
  });
  if (answer.status === 304) return { same: true, etag };
  await refuse(answer);
  return { body: await answer.json(), etag: answer.headers.get("ETag") };
}

/** POST JSON with the session's CSRF token. */
export async function post(path, body, headers = {}) {
  const { csrf } = await me();
  const answer = await fetch(withLang(path), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf, ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  await refuse(answer);
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : null;
}

async function refuse(answer) {
  if (answer.ok) return;
  let code = "";
  try {
    code = (await answer.json()).code ?? "";
  } catch {
    code = "";
  }
  throw new Refused(answer.status, code);
}

function withLang(path) {
  return `${path}${path.includes("?") ? "&" : "?"}lang=${lang}`;
}

/** A random name for one attempt of the user, so that a repeat is not a second decision. */
export function attemptKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
