// Numbers, units, ages and times as people read them.
import { locale, t, word } from "./i18n.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const UNITS = {
  "mm[Hg]": "mmHg", Cel: "°C", "{score}": "", "[pH]": "", 1: "", a: "", y: "",
  "10*3/uL": "×10³/µL", "10*9/L": "×10⁹/L",
};
const clockTime = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayTime = new Intl.DateTimeFormat(locale, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const dayOnly = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const numbers = new Map();
let ahead = 0;

/** Take the server's clock: a workstation's own clock may be wrong. */
export function setServerNow(ms) {
  ahead = ms - Date.now();
}

export const now = () => Date.now() + ahead;

export function number(value, digits = 2) {
  if (!numbers.has(digits)) {
    numbers.set(digits, new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
  }
  return numbers.get(digits).format(value).replace("-", "−");
}

/** A number with its sign, minus as a minus. */
export const signed = (value, digits = 0) => (value > 0 ? "+" : "") + number(value, digits);

/** A probability as a percentage: whole from 10 %, else one decimal, never 0 or 100. */
export function percent(p) {
  const value = p * 100;
  if (value < 0.1) return `<${number(0.1, 1)}%`;
  if (value > 99.9) return `>${number(99.9, 1)}%`;
  return `${number(value, value < 10 ? 1 : 0)}%`;
}

export const unit = (ucum) => (ucum in UNITS ? UNITS[ucum] : ucum.replace(/^u/, "µ").replace("/uL", "/µL"));

/** A value with its unit. */
export function quantity(value, ucum, digits = 2) {
  const named = unit(ucum);
  return named ? `${number(value, digits)}${named === "%" ? "" : "\u00a0"}${named}` : number(value, digits);
}

/** A value as it was sent, "930 %", with its unit as people write it. */
export function asSent(text) {
  const [value, ...named] = text.split(" ");
  const ucum = named.join(" ");
  return named.length ? `${value}\u00a0${UNITS[ucum] || ucum}` : text;
}

/** "12 min ago", from milliseconds. */
export function ago(ms) {
  if (ms < MINUTE) return t("age.now");
  if (ms < HOUR) return t("age.minutes", { n: Math.floor(ms / MINUTE) });
  if (ms < 48 * HOUR) return t("age.hours", { n: Math.floor(ms / HOUR) });
  return t("age.days", { n: Math.floor(ms / (24 * HOUR)) });
}

const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

/** "14:05" today, "3 Nov 14:05" on another day. */
export const at = (ms) => (sameDay(ms, now()) ? clockTime : dayTime).format(ms);
export const hour = (ms) => clockTime.format(ms);
export const day = (ms) => dayOnly.format(ms);
export const full = (ms) => dayTime.format(ms);

/** A time relative to the newest point, where the real one is hidden. */
export function relative(ms) {
  const hours = -ms / HOUR;
  return hours < 1 ? `−${t("span.minutes", { n: Math.round(-ms / MINUTE) })}` : `−${t("span.hours", { n: number(hours, 1) })}`;
}

/** How old a patient's newest data may be before it is marked, by band (see /help). */
const INTERVAL_MS = { high: HOUR / 2, medium: HOUR, "low-medium": HOUR, low: 6 * HOUR, unknown: 12 * HOUR };

export function overdue(row, at_ms) {
  if (row.news2?.last) return true;
  if (row.data_ms === null) return false;
  const band = row.news2?.band ?? "unknown";
  const limit = band === "low" && row.news2.total === 0 ? 12 * HOUR : INTERVAL_MS[band];
  return at_ms - row.data_ms > limit;
}

/** "67 y", "8 mo" is not told by the API; 90 stands for 90 and over. */
export function years(age) {
  if (age === null) return "";
  return age >= 90 ? t("person.years_90") : t("person.years", { n: age });
}

export const sex = (code) => word("sex", code || "U");
