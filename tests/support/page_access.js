// What a person with a screen reader, a keyboard or weak eyes would stumble on, as sentences.
// A small set of checks of our own: names, headers, headings, landmarks, contrast 4.5 to 1.
() => {
  const found = [];
  const seen = (e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true })
    && !e.closest("[hidden]") && e.getClientRects().length > 0;
  const text = (e) => [...e.childNodes].map((n) => n.nodeType === 3 ? n.data
    : n.nodeType === 1 && n.getAttribute("aria-hidden") !== "true" ? text(n) : "").join("").trim();
  const name = (e) => e.getAttribute("aria-label")
    || (e.getAttribute("aria-labelledby") || "").split(" ").map((id) => id && document.getElementById(id)?.textContent).join("")
    || [...(e.labels || [])].map(text).join("") || text(e) || e.getAttribute("title") || "";
  const what = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") || ""}" id="${e.id}">`;
  for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=img], [tabindex='0']")) {
    if (seen(e) && !name(e).trim()) found.push(`no name: ${what(e)}`);
  }
  for (const e of document.querySelectorAll("svg")) {
    if (!e.closest("[aria-hidden=true]") && e.getAttribute("role") !== "img") found.push(`svg neither hidden nor named: ${what(e)}`);
  }
  for (const e of document.querySelectorAll("table")) {
    if (seen(e) && !e.querySelector("th[scope]")) found.push(`table without headers: ${what(e)}`);
  }
  for (const e of document.querySelectorAll("section:not([hidden]), nav, fieldset")) {
    if (seen(e) && e.tagName === "FIELDSET" && !e.querySelector("legend")) found.push(`fieldset without legend: ${what(e)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1) found.push(`id twice: ${id}`);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(seen).map((e) => Number(e.tagName[1]));
  if (levels.filter((l) => l === 1).length !== 1) found.push(`h1 count: ${levels}`);
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) found.push(`heading level skipped: ${levels}`); });
  if (!document.documentElement.lang || !document.title.trim()) found.push("no language or no title");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");

  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const luminance = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { const layers = []; for (let n = e; n; n = n.parentElement) {
      const c = parse(getComputedStyle(n).backgroundColor); layers.push(c); if (c[3] === 1) break; }
    let under = [255, 255, 255]; for (const c of layers.reverse()) under = over(c, under); return under; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const reported = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e || !seen(e) || e.closest("script, style, option, .sr, [disabled], noscript, title")) continue;
    const style = getComputedStyle(e);
    const inSvg = e.namespaceURI.endsWith("svg");
    let under = ground(inSvg ? e.ownerSVGElement.parentElement : e);
    const tile = e.closest("svg.tile");
    if (tile && tile.dataset.band !== "unknown") under = parse(getComputedStyle(tile).color).slice(0, 3);
    const ink = over(parse(inSvg ? style.fill : style.color), under);
    const [a, b] = [luminance(ink), luminance(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) { const key = `contrast ${ratio.toFixed(2)}: ${what(e)} "${walker.currentNode.data.trim().slice(0, 30)}"`;
      if (!reported.has(key)) { reported.add(key); found.push(key); } }
  }
  return found;
}
