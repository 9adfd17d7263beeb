// What the visitor has named: addresses, numbers, orders, plans, amounts and dates, the newest first.

import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Named} One */

/** @type {Record<string, string>} */
const KINDS = { email: "E-mail", order_id: "Order", plan: "Plan", sku: "SKU", date: "Date", amount: "Amount", phone: "Phone" };

/** Things that are shown; the others stay in the messages. */
const SHOWN = 8;

/** @param {{ named: One[] }} props @returns {VNode | null} */
export function Named({ named }) {
  if (named.length === 0) return null;
  return html`<dl class="named" aria-label="Named by the visitor">${named.slice(0, SHOWN).map((one) =>
    html`<div key=${`${one.kind} ${one.value}`}><dt>${KINDS[one.kind] ?? one.kind}</dt><dd title=${one.text}>${one.value}</dd></div>`)}</dl>`;
}
