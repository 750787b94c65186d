// Which strips the course has: what is drawn, on which scale, with which usual range.
import { number, percent, unit } from "./format.js";
import { t, word } from "./i18n.js";

// The range that scores 0 points in NEWS2 (RCP 2017; SpO2 on scale 1), held to the service's own
// table by a test.
export const USUAL = {
  heart_rate: [51, 90], resp_rate: [12, 20], sbp: [111, 219], spo2: [96, 100], temperature: [36.1, 38.0],
};
const BANDS = [["low", 0, 4.5], ["medium", 4.5, 6.5], ["high", 6.5, 24]];
const SCALE = {
  heart_rate: [50, 130], resp_rate: [10, 30], bp: [60, 160], spo2: [88, 100], temperature: [36, 39], gcs: [3, 15],
  oxygen_flow: [0, 10], fio2: [0.2, 1],
};
const ORDER = ["heart_rate", "resp_rate", "bp", "spo2", "oxygen_flow", "fio2", "temperature", "gcs"];
const PRESSURES = { sbp: ["sbp", "sbp_invasive"], dbp: ["dbp", "dbp_invasive"], map: ["map", "map_invasive"] };
const IN_STRIPS = new Set([...ORDER, ...Object.values(PRESSURES).flat()]);
const DIGITS = { temperature: 1, fio2: 2, oxygen_flow: 1 };

export const inStrips = (parameter) => IN_STRIPS.has(parameter);

/** The strips of a history; `named` has label and unit of the parameters that were measured. */
export function stripsOf(history, named) {
  const strips = [];
  if (history.news2.length) strips.push(news2(history.news2));
  if (history.icu_risk.length) {
    strips.push({
      key: "icu", name: t("column.icu"), unit: "", scale: [0, 0.3], ceiling: 1, tall: true, format: percent,
      axis: (p) => `${number(p * 100, 0)}%`,
      lines: [{ points: history.icu_risk, kind: "risk" }],
    });
  }
  for (const key of ORDER) {
    const strip = key === "bp" ? pressure(history.vitals) : single(key, history.vitals[key], named);
    if (strip) strips.push(strip);
  }
  return strips;
}

function news2(points) {
  return {
    key: "news2", name: t("column.score"), unit: "", scale: [0, 10], bands: BANDS, tall: true, format: (v) => number(v, 0),
    lines: [{ points: points.map(([ms, total]) => [ms, total]), kind: "score", stepped: true }],
    whiskers: points.filter(([, , min, max]) => max > min).map(([ms, , min, max]) => [ms, min, max]),
  };
}

function single(key, points, named) {
  if (!points?.length) return null;
  return {
    key, name: named.get(key)?.label ?? word("parameter", key), unit: unit(named.get(key)?.unit ?? ""), scale: SCALE[key],
    usual: USUAL[key], format: (v) => number(v, DIGITS[key] ?? 0), lines: [{ points, kind: "vital" }],
  };
}

/** Systolic and diastolic as one strip; the invasive line where there is no cuff. */
function pressure(vitals) {
  const of = (names) => names.flatMap((name) => vitals[name] ?? []).sort((a, b) => a[0] - b[0]);
  const sbp = of(PRESSURES.sbp);
  const dbp = of(PRESSURES.dbp);
  if (!sbp.length && !dbp.length) return null;
  const lines = [];
  if (sbp.length) lines.push({ points: sbp, kind: "vital" });
  if (dbp.length) lines.push({ points: dbp, kind: "vital second" });
  return {
    key: "bp", name: t("chart.bp"), unit: "mmHg", scale: SCALE.bp, usual: USUAL.sbp, usualLine: 0, between: lines.length === 2,
    format: (v) => number(v, 0), lines,
  };
}
