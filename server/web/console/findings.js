// What a look over the documents has found, each finding with its places.

import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").KnowledgeReport} KnowledgeReport */
/** @typedef {import("./types.js").Place} Place */

/** @param {{ at: Place }} props @returns {VNode} */
function At({ at }) {
  return html`<code>${at.doc}:${at.line}</code>`;
}

/**
 * Findings of one kind.
 * @param {{ kind: string, title: string, items: VNode[] }} props
 * @returns {VNode | null}
 */
function Group({ kind, title, items }) {
  if (items.length === 0) return null;
  return html`<details class="finding ${kind}" open=${items.length <= 10}>
    <summary>${title}: ${items.length}</summary>
    <ul>${items}</ul>
  </details>`;
}

/**
 * @param {{ report: KnowledgeReport }} props
 * @returns {VNode}
 */
export function Findings({ report }) {
  const links = report.links.map((one) => html`<li><${At} at=${one.at} /> <code>${one.target}</code>: ${one.problem}</li>`);
  const contradictions = report.contradictions.map((one) => html`<li>
    <${At} at=${one.first.at} /> ${one.first.text}<br /><${At} at=${one.second.at} /> ${one.second.text}
    <span class="note"> ${one.differ === "number" ? "Another number." : "One denies it."}</span></li>`);
  const duplicates = report.duplicates.map((one) => html`<li><${At} at=${one.first} /> <${At} at=${one.second} /> ${one.text}</li>`);
  const stale = report.stale.map((one) => html`<li><code>${one.doc}</code>: not touched for ${one.days} days</li>`);
  const unreached = report.unreached.map((doc) => html`<li><code>${doc}</code></li>`);
  const count = links.length + contradictions.length + duplicates.length + stale.length + unreached.length;
  return html`<div class="findings">
    ${count === 0 && html`<p class="empty">Nothing was found.</p>`}
    <${Group} kind="links" title="Links that lead nowhere" items=${links} />
    <${Group} kind="contradictions" title="Sentences that may contradict each other" items=${contradictions} />
    <${Group} kind="duplicates" title="Passages that say the same" items=${duplicates} />
    <${Group} kind="stale" title="Documents that nobody has touched for long" items=${stale} />
    <${Group} kind="unreached" title="Documents that no answer has cited yet" items=${unreached} />
    ${report.uncompared > 0 && html`<p class="note">${report.uncompared} passages were not compared: there are too many.</p>`}
  </div>`;
}
