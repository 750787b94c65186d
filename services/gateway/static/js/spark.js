// The last early-warning totals as a small step line, on a fixed scale so that rows compare.
import { s } from "./dom.js";
import { t } from "./i18n.js";

const WIDTH = 112;
const HEIGHT = 36;
const PAD = 4;
const TOP = 16;

/** `points` are [ms, total], oldest first; guide lines stand at 5 and 7. */
export function sparkline(points, band) {
  const first = points[0][0];
  const last = points[points.length - 1][0];
  const x = (ms) => PAD + ((ms - first) / Math.max(1, last - first)) * (WIDTH - 2 * PAD);
  const y = (total) => HEIGHT - PAD - (Math.min(total, TOP) / TOP) * (HEIGHT - 2 * PAD);
  let d = `M${x(first).toFixed(1)} ${y(points[0][1]).toFixed(1)}`;
  for (const [ms, total] of points.slice(1)) d += `H${x(ms).toFixed(1)}V${y(total).toFixed(1)}`;
  const end = points[points.length - 1];
  return s("svg", {
    class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "data-band": band,
    "aria-label": t("trend.spark", { first: points[0][1], last: end[1], n: points.length }),
  },
  s("path", { class: "guide", d: `M0 ${y(5)}H${WIDTH}M0 ${y(7)}H${WIDTH}` }),
  s("path", { class: "area", d: `${d}V${HEIGHT - PAD}H${PAD}Z` }),
  s("path", { class: "line", d }),
  s("circle", { class: "end", cx: x(last).toFixed(1), cy: y(end[1]).toFixed(1), r: 2.8 }));
}
