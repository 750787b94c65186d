// Scales and ticks of the charts; pure.
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STEPS = [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 96 * HOUR];
export const GAP_MS = 12 * HOUR; // no line is drawn across a longer silence

export function linear([from, to], [start, end]) {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

/** Round times within the domain, on local hours, at most `most` of them. */
export function timeTicks([from, to], most, relative) {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? (to - from) / most;
  const offset = relative ? 0 : new Date(to).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) ticks.push(at);
  return { ticks, step };
}

/** Whole-looking y ticks. */
export function valueTicks([low, high], most) {
  const raw = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * unit).find((s) => (high - low) / s <= most);
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) ticks.push(Number(at.toPrecision(12)));
  return ticks;
}

/** A range of values that holds the usual window and all points. */
export function reach(usual, points) {
  let [low, high] = usual;
  for (const [, value] of points) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** An SVG path through the points; lifted over silences. `stepped` holds a value until the next. */
export function path(points, x, y, stepped = false) {
  let d = "";
  let last = null;
  for (const [ms, value] of points) {
    const px = x(ms).toFixed(1);
    const py = y(value).toFixed(1);
    if (last === null || ms - last > GAP_MS) d += `M${px} ${py}`;
    else d += stepped ? `H${px}V${py}` : `L${px} ${py}`;
    last = ms;
  }
  return d;
}

/** The last point at or before a time, unless it is older than the longest drawn silence. */
export function pointAt(points, ms) {
  let found = null;
  for (const point of points) {
    if (point[0] > ms) break;
    found = point;
  }
  return found && ms - found[0] <= GAP_MS ? found : null;
}
