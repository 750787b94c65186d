// Building elements. Text is only ever set as text, never parsed as markup.
const SVG = "http://www.w3.org/2000/svg";
const base = document.documentElement.dataset.base;

export const $ = (selector, within = document) => within.querySelector(selector);

/** An HTML element: `h("p", { class: "x", onclick: f }, "text", child)`. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An icon of the sprite; it is decoration, so what it says also stands in words. */
export function icon(name, size = 20) {
  return s("svg", { class: `icon i-${name}`, viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" },
    s("use", { href: `${base}/img/icons.svg#${name}` }));
}

/** Text for screen readers only. */
export const sr = (text) => h("span", { class: "sr" }, text);

/** The shape of a band with a number in it: the band is told by shape, colour and words. */
export function tile(band, number) {
  return s("svg", { class: "tile", viewBox: "0 0 40 40", "data-band": band, "aria-hidden": "true" },
    s("use", { href: `${base}/img/icons.svg#tile-${band}` }),
    s("text", { x: 20, y: 20, class: "tile-number" }, number ?? "–"));
}
