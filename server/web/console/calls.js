// Calls of actions: what was asked for whom, what came of it, and the owner's yes or no.

import { plain } from "./format.js";
import { Values, When } from "./sheet.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Call} Call */

/** @type {Record<string, string>} */
const STATUS = {
  waiting_owner: "Waits for your yes", ready: "Is about to be made", running: "Is being made", done: "Done", failed: "Failed",
  unknown: "Not known whether it happened", refused: "Refused",
};
/** @type {Record<string, string>} */
const LOOKS = { waiting_owner: "waiting", done: "owner", failed: "bad", unknown: "bad", running: "bot", ready: "bot" };

/**
 * One call with all its values.
 * @param {{ call: Call, busy: boolean, decide: (call: Call, yes: boolean) => void, from?: boolean }} props `from` adds the conversation
 * @returns {VNode}
 */
export function CallCard({ call, busy, decide, from }) {
  const waits = call.status === "waiting_owner";
  const results = call.result ?? [];
  const events = call.events ?? [];
  return html`<li class="finding call ${waits ? "waits" : ""}" data-call=${call.id}>
    <p><strong>${call.title}</strong> <span class="state-chip ${LOOKS[call.status] ?? ""}">${STATUS[call.status] ?? plain(call.status)}</span> <${When} at=${call.at} /></p>
    <p class="faint"><span>${call.subject ? html`For <bdi>${call.subject}</bdi>, shown by a code.` : "For nobody in particular."}</span>
      ${from && html` <a href=${`#/c/${call.conversation}`}>The conversation</a>`}</p>
    <${Values} rows=${call.arguments ?? []} />
    ${results.length > 0 && html`<p class="faint">Answer:</p><${Values} rows=${results} />`}
    ${waits && html`<p class="buttons">
      <button class="primary approve" disabled=${busy} aria-label=${`Approve: ${call.title}`} onClick=${() => decide(call, true)}>Approve</button>
      <button class="refuse" disabled=${busy} aria-label=${`Refuse: ${call.title}`} onClick=${() => decide(call, false)}>Refuse</button></p>`}
    ${events.length > 0 && html`<details><summary>What happened: ${events.length} entries</summary><ol class="events">${events.map((one, n) =>
      html`<li key=${n}><${When} at=${one.at} /> ${plain(one.what)}${one.detail && html`: <span dir="auto">${one.detail}</span>`}</li>`)}</ol></details>`}
  </li>`;
}
