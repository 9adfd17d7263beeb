// The pages of the web that are documents too: how many there are, how far fetching them is, and what could not be had.

import { fullTime, isoTime, timeWords } from "./format.js";
import { fetchPages, library } from "./library.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Web} Web */

/**
 * How far something is, in words and as a bar.
 * @param {{ label: string, count: { done: number, of: number } }} props
 * @returns {VNode}
 */
export function Count({ label, count }) {
  return html`<p class="progress" role="status">${label}: ${count.done} of ${count.of}
    <progress aria-label=${label} value=${count.done} max=${Math.max(count.of, 1)}></progress></p>`;
}

/** @param {{ web: Web }} props @returns {VNode} */
export function Sources({ web }) {
  const asked = web.asked_at === null ? "not all asked for yet" : html`asked for <time datetime=${isoTime(web.asked_at)} title=${fullTime(web.asked_at)}>${timeWords(web.asked_at)}</time>`;
  return html`<div class="sources">
    <p><strong>${web.pages}</strong> pages of the web, ${asked}.${" "}
      ${web.fetching === null && html`<button class="fetch" disabled=${library.busy !== ""} onClick=${() => void fetchPages()}>Fetch now</button>`}</p>
    ${web.fetching !== null && html`<${Count} label="Pages fetched" count=${web.fetching} />`}
    ${web.missed.map((one) => html`<p class="notice bad" key=${one.url}><code>${one.url}</code> ${one.problem.replace(/\.$/, "")}.${" "}
      ${one.kept ? "Its last good copy answers." : "It is left out."}</p>`)}
    ${web.more_missed > 0 && html`<p class="note">${web.more_missed} more pages could not be fetched.</p>`}
  </div>`;
}
