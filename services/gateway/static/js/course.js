// The course: strips of one time axis under each other, read together at one time, by mouse,
// touch or the arrow keys of the slider; and the same as a table.
import { linear, path, pointAt, reach, timeTicks, valueTicks } from "./axis.js";
import { $, h, s } from "./dom.js";
import { at, day, full, hour, now, relative } from "./format.js";
import { t } from "./i18n.js";

const HOUR = 3_600_000;
const RIGHT = 34;
const PAD = 7;
const TABLE_ROWS_MAX = 200;

export class Course {
  #strips = [];
  #times = [];
  #drawn = [];
  #relative = false;
  #hours = 24;
  #cursor = null;

  constructor(charts, scrub, table) {
    this.charts = charts;
    this.table = table;
    this.slider = h("input", { type: "range", min: 0, step: 1, "aria-label": t("patient.cursor"), oninput: () => this.#read(Number(this.slider.value)) });
    this.when = h("output", { class: "when" });
    scrub.append(this.when, this.slider);
    charts.addEventListener("pointermove", (event) => this.#point(event));
    charts.addEventListener("pointerleave", () => this.#rest());
    this.slider.addEventListener("blur", () => this.#rest());
    table.addEventListener("toggle", () => this.#tabulate());
    new ResizeObserver(() => this.#draw()).observe(charts);
  }

  /** Show these strips; `hidden` true: times are relative to the newest. */
  show(strips, hidden) {
    this.#strips = strips;
    this.#relative = hidden;
    this.#draw();
    this.#tabulate();
  }

  window(hours) {
    this.#hours = hours;
    this.#draw();
    this.#tabulate();
  }

  #domain() {
    const all = this.#strips.flatMap((strip) => strip.lines.flatMap((line) => line.points.map(([ms]) => ms)));
    const newest = Math.max(...all);
    const end = this.#relative ? 0 : Math.max(newest, Math.min(now(), newest + 24 * HOUR));
    const start = this.#hours ? end - this.#hours * HOUR : Math.min(...all);
    return [Math.min(start, end - HOUR / 2), end];
  }

  #draw() {
    const width = this.charts.clientWidth;
    if (!width) return;
    if (!this.#strips.length) {
      this.#times = []; // nothing to point at
      this.#drawn = [];
      this.charts.replaceChildren(h("p", { class: "quiet" }, t("patient.no_history")));
      this.slider.parentElement.hidden = true;
      return;
    }
    this.slider.parentElement.hidden = false;
    const domain = this.#domain();
    const beside = width > 560;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const plot = Math.max(160, width - (beside ? 10.5 * rem : 0));
    const x = linear(domain, [PAD, plot - RIGHT]);
    const { ticks, step } = timeTicks(domain, Math.max(3, Math.floor(plot / 95)), this.#relative);
    this.#drawn = this.#strips.map((strip) => drawStrip(strip, { x, domain, width: plot, rem, ticks }));
    this.x = x;
    this.plot = plot;
    const label = (ms) => (this.#relative ? (ms === 0 ? "0" : relative(ms)) : step >= 24 * HOUR || isMidnight(ms) ? day(ms) : hour(ms));
    const axis = s("svg", { class: "axis", viewBox: `0 0 ${plot} 20`, width: plot, height: 20, "aria-hidden": "true" },
      ticks.map((ms) => s("text", { x: x(ms), y: 14, class: isMidnight(ms) && !this.#relative ? "tick day" : "tick" }, label(ms))));
    this.charts.replaceChildren(...this.#drawn.map((drawn) => drawn.node), h("div", { class: "strip axis-row" }, h("div", {}), axis));
    this.#times = [...new Set(this.#strips.flatMap((strip) => strip.lines.flatMap((line) => line.points.map(([ms]) => ms))))]
      .filter((ms) => ms >= domain[0] && ms <= domain[1]).sort((a, b) => a - b);
    this.slider.max = Math.max(0, this.#times.length - 1);
    this.slider.disabled = this.#times.length === 0;
    if (this.#cursor === null) this.#rest();
    else this.#read(this.#nearest(this.#cursor));
  }

  #nearest(ms) {
    let best = 0;
    this.#times.forEach((time, i) => {
      if (Math.abs(time - ms) < Math.abs(this.#times[best] - ms)) best = i;
    });
    return best;
  }

  #point(event) {
    if (!this.#times.length) return;
    const box = $("svg", this.charts).getBoundingClientRect();
    const [from, to] = this.#domain();
    const px = ((event.clientX - box.left) / box.width) * this.plot;
    if (px < 0) return;
    const ms = from + ((px - PAD) / (this.plot - RIGHT - PAD)) * (to - from);
    this.#read(this.#nearest(ms));
  }

  #time(ms) {
    return this.#relative ? relative(ms) : at(ms);
  }

  #read(index) {
    const ms = this.#times[index];
    if (ms === undefined) return;
    this.#cursor = ms;
    this.slider.value = index;
    this.when.textContent = this.#time(ms);
    const said = this.#drawn.map((drawn) => drawn.read(ms)).filter(Boolean);
    this.slider.setAttribute("aria-valuetext", [this.#time(ms), ...said].join(", "));
  }

  /** Back to the newest values. */
  #rest() {
    this.#cursor = null;
    for (const drawn of this.#drawn) drawn.rest();
    this.slider.value = this.slider.max;
    this.when.textContent = t("patient.clear_reading");
    this.slider.setAttribute("aria-valuetext", t("patient.clear_reading"));
  }

  #tabulate() {
    const box = $(".scroll", this.table);
    if (!this.table.open) return;
    const columns = this.#strips.flatMap((strip) => strip.lines.map((line, i) => ({ strip, line, i })));
    const times = this.#times.slice(-TABLE_ROWS_MAX).reverse();
    const values = columns.map(({ line }) => new Map(line.points));
    box.replaceChildren(h("table", { class: "plain-table values" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("patient.time")),
        columns.map(({ strip, i }) => h("th", { scope: "col" }, heading(strip, i), strip.unit ? h("span", { class: "quiet" }, ` ${strip.unit}`) : null)))),
      h("tbody", {}, times.map((ms) => h("tr", {}, h("th", { scope: "row" }, this.#relative ? relative(ms) : full(ms)),
        columns.map(({ strip }, c) => h("td", {}, values[c].has(ms) ? strip.format(values[c].get(ms)) : "")))))));
  }
}

const heading = (strip, i) => (strip.key === "bp" ? t(i === 0 ? "parameter.sbp" : "parameter.dbp") : strip.name);
const isMidnight = (ms) => new Date(ms).getHours() === 0 && new Date(ms).getMinutes() === 0;

function drawStrip(strip, { x, domain, width, rem, ticks }) {
  const height = Math.round((strip.tall ? 6 : 4.4) * rem);
  const inside = strip.lines.map((line) => windowed(line.points, domain));
  let [low, high] = reach(strip.scale, [...inside.flat(), ...(strip.whiskers ?? []).filter(([ms]) => ms >= domain[0]).map(([ms, , max]) => [ms, max])]);
  if (strip.ceiling) high = Math.min(strip.ceiling, high);
  const margin = strip.key === "news2" || strip.key === "icu" ? 0 : (high - low) * 0.06;
  const y = linear([low - margin, high + margin + (strip.tall ? (high - low) * 0.06 : 0)], [height - PAD, PAD]);
  const right = width - RIGHT;
  const marks = [];
  const box = (from, to, className) => {
    const top = Math.max(y(to), PAD);
    const bottom = Math.min(y(from), height - PAD);
    if (bottom > top) marks.push(s("rect", { class: className, x: PAD, width: right - PAD, y: top, height: bottom - top }));
  };
  for (const [band, from, to] of strip.bands ?? []) box(from, to, `zone zone-${band}`);
  if (strip.usual) box(strip.usual[0], strip.usual[1], "usual");
  marks.push(s("path", { class: "grid", d: ticks.map((ms) => `M${x(ms).toFixed(1)} ${PAD}V${height - PAD}`).join("") }));
  for (const value of valueTicks([low, high], strip.tall ? 3 : 2)) {
    marks.push(s("text", { class: "tick value", x: right + 6, y: y(value) }, (strip.axis ?? strip.format)(value)));
  }
  if (strip.between) marks.push(s("path", { class: "between", d: bars(inside[0], new Map(inside[1]), x, y) }));
  for (const [ms, min, max] of strip.whiskers ?? []) {
    if (ms >= domain[0]) marks.push(s("path", { class: "whisker", d: `M${x(ms).toFixed(1)} ${y(min).toFixed(1)}V${y(max).toFixed(1)}` }));
  }
  strip.lines.forEach((line, i) => {
    marks.push(s("path", { class: `series ${line.kind}`, d: path(inside[i], x, y, line.stepped) }));
    if (strip.key === "news2" || strip.key === "icu") return;
    for (const point of inside[i]) marks.push(s("circle", { class: unusual(strip, i, point[1]) ? "dot out" : "dot", cx: x(point[0]).toFixed(1), cy: y(point[1]).toFixed(1), r: unusual(strip, i, point[1]) ? 2.6 : 1.7 }));
  });
  const cursor = s("g", { class: "cursor", visibility: "hidden" }, s("line", { y1: PAD, y2: height - PAD }),
    strip.lines.map(() => s("circle", { r: 4 })));
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": summary(strip, inside) }, marks, cursor);
  const value = h("span", { class: "reading" });
  const node = h("div", { class: `strip strip-${strip.key}` },
    h("div", { class: "strip-head" }, h("span", { class: "strip-name" }, strip.name), h("span", { class: "strip-value" }, value,
      strip.unit ? h("span", { class: "quiet small" }, ` ${strip.unit}`) : null)), svg);
  const say = (points) => {
    const texts = points.map((point) => (point ? strip.format(point[1]) : "–"));
    value.textContent = texts.join("/");
    value.classList.toggle("out", points.some((point, i) => point && unusual(strip, i, point[1])));
    return points.some(Boolean) ? `${strip.name} ${texts.join("/")}${strip.unit ? ` ${strip.unit}` : ""}` : "";
  };
  return {
    node,
    read(ms) {
      const points = strip.lines.map((line) => pointAt(line.points, ms));
      cursor.setAttribute("visibility", "visible");
      const [stem, ...dots] = cursor.children;
      stem.setAttribute("x1", x(ms));
      stem.setAttribute("x2", x(ms));
      dots.forEach((dot, i) => {
        dot.setAttribute("visibility", points[i] && points[i][0] >= domain[0] ? "inherit" : "hidden");
        if (points[i]) {
          dot.setAttribute("cx", x(line(strip, i, points[i], ms)));
          dot.setAttribute("cy", y(points[i][1]));
        }
      });
      return say(points);
    },
    rest() {
      cursor.setAttribute("visibility", "hidden");
      say(strip.lines.map((l) => l.points[l.points.length - 1] ?? null));
    },
  };
}

// A score stands until the next one, so its dot moves with the cursor; a value stays where it was.
const line = (strip, i, point, ms) => (strip.lines[i].stepped ? ms : point[0]);

function unusual(strip, i, value) {
  if (!strip.usual || (strip.usualLine !== undefined && strip.usualLine !== i)) return false;
  return value < strip.usual[0] || value > strip.usual[1];
}

/** The points within the domain, with the one before it so that the line enters from the left. */
function windowed(points, [from]) {
  const first = points.findIndex(([ms]) => ms >= from);
  if (first < 0) return [];
  return points.slice(first);
}

function bars(highs, lows, x, y) {
  return highs.filter(([ms]) => lows.has(ms)).map(([ms, high]) => `M${x(ms).toFixed(1)} ${y(high).toFixed(1)}V${y(lows.get(ms)).toFixed(1)}`).join("");
}

function summary(strip, inside) {
  const values = inside[0].map(([, value]) => value);
  if (!values.length) return `${strip.name}: ${t("patient.no_history")}`;
  return t("chart.summary", {
    name: strip.name, n: values.length, min: strip.format(Math.min(...values)), max: strip.format(Math.max(...values)),
    last: strip.format(values[values.length - 1]),
  });
}
