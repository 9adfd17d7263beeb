// Small helpers that build elements and icons without markup strings.

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a grid of 24, drawn with the current colour. */
export const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12h13M12 5l7 7-7 7",
  clock: "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16M12 8v4l3 2",
  person: "M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
  lamp: "M12 2v3M5.5 9l6.5-4 6.5 4zM7.5 9v9M16.5 9v9M6 18h12v3H6zM12 11.5c2.2 2.3 1.6 4.5 0 4.5s-2.2-2.2 0-4.5",
};

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, className = "", text = "", attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/**
 * @param {string} className
 * @param {string} label shown, or only spoken when an icon is given
 * @param {() => void} act
 * @param {string} [path] outline of the icon
 * @returns {HTMLButtonElement}
 */
export function button(className, label, act, path) {
  const node = el("button", className, path ? "" : label, { type: "button" });
  if (path) {
    node.setAttribute("aria-label", label);
    node.append(icon(path));
  }
  node.addEventListener("click", act);
  return node;
}

/**
 * @param {string} path
 * @returns {SVGSVGElement}
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
