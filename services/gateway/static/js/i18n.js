// Words of the page: every visible text comes from strings/<lang>.json by its key.
const root = document.documentElement;
const words = await (await fetch(root.dataset.strings, { credentials: "same-origin" })).json();

export const lang = root.lang.startsWith("zh") ? "zh" : "en";
export const locale = lang === "zh" ? "zh-CN" : "en-GB";

/** The text of `key`, with `{name}` replaced from `values`. */
export function t(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`no such string: ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The text for a number of things: `key_one` where the language tells one from many. */
export function count(key, n) {
  return n === 1 ? t(`${key}_one`, { n }) : t(key, { n });
}

/** The text for a code of a closed set; a code of a newer server shows as it is. */
export function word(group, code) {
  return words[`${group}.${code}`] ?? String(code).replaceAll("_", " ");
}
