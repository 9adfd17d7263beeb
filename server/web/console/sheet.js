// What the console's pages and cards are made of: a page's frame, a moment, named values, a file's mistake.

import { fullTime, isoTime, timeWords } from "./format.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Row} Row */

/**
 * A page: its head with the way back, what went wrong, and its parts.
 * @param {{ page: import("./work.js").Page, title: string, back?: string, read: () => Promise<unknown>, children?: unknown }} props
 * @returns {VNode}
 */
export function Sheet({ page, title, back = "#/", read, children }) {
  return html`<main class="conversation knowledge sheet" aria-label=${title}>
    <header class="bar head">
      <a class="back" href=${back} aria-label=${back === "#/" ? "Back to the list" : "Back to the page"}>‹</a>
      <div class="title"><h2 tabindex="-1">${title}</h2></div>
      <div class="buttons"><button class="quiet" disabled=${page.busy !== ""} onClick=${() => void read()}>Refresh</button></div>
    </header>
    ${page.problem && html`<p class="problem" role="alert">${page.problem}</p>`}
    <div class="thread" tabindex="0" role="region" aria-label=${`${title}: what there is`}>${children}</div>
    <p class="sr" aria-live="polite">${page.said}</p>
  </main>`;
}

/** @param {{ at: number }} props @returns {VNode} */
export function When({ at }) {
  return html`<time datetime=${isoTime(at)} title=${fullTime(at)}>${timeWords(at)}</time>`;
}

/** @param {{ rows: Row[] }} props @returns {VNode | null} */
export function Values({ rows }) {
  if (rows.length === 0) return null;
  return html`<dl class="values">${rows.map((row, n) => html`<div key=${n}><dt dir="auto">${row.label}</dt><dd dir="auto">${row.value}</dd></div>`)}</dl>`;
}

/** @param {{ problem: string | null | undefined }} props @returns {VNode | null} */
export function Mistake({ problem }) {
  if (!problem) return null;
  return html`<div class="notice bad" role="alert"><p>The file has a mistake; the state before it is in force.</p><pre>${problem}</pre></div>`;
}

/** Where a list can be had as a file. @param {{ path: string, query?: string }} props @returns {VNode} */
export function Exports({ path, query = "" }) {
  const address = (/** @type {string} */ format) => `/console/api/${path}/export?format=${format}${query && `&${query}`}`;
  return html`<p class="exports">Export: <a href=${address("csv")} download>CSV</a> <a href=${address("json")} download>JSON</a></p>`;
}
