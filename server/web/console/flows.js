// The flows on the page "Rules": what visitors are led through step by step, and what begins it.

import { plain } from "./format.js";
import { Mistake } from "./sheet.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/** @type {Record<string, string>} */
const KINDS = { capture: "Asks for details", steps: "Walks through steps", checklist: "Finds the cause" };

/** @param {{ told: { flows: import("./types.js").Flow[], problem: string | null } }} props @returns {VNode} */
export function Flows({ told }) {
  return html`<section class="flows" aria-labelledby="flows-title">
    <h3 id="flows-title">Flows</h3>
    <p class="note">What visitors are led through, one thing at a time. They stand in prompts/flows.toml.</p>
    <${Mistake} problem=${told.problem} />
    <ul class="findings">${told.flows.map((flow) => html`<li class="finding" key=${flow.id}>
      <p><strong>${flow.title}</strong> <span class="state-chip">${KINDS[flow.kind] ?? plain(flow.kind)}</span> <span class="faint">flows.toml, line ${flow.line}</span></p>
      ${flow.problem && html`<p class="notice bad">${flow.problem}</p>`}
      ${flow.words.length > 0 && html`<div class="when"><p>Begins with ${flow.words.slice(0, 4).map((one) => html`<code key=${one}>${one}</code> `)}</p>
        ${flow.words.length > 4 && html`<details><summary>${flow.words.length - 4} more</summary><p>${flow.words.slice(4).map((one) => html`<code key=${one}>${one}</code> `)}</p></details>`}</div>`}
    </li>`)}</ul>
  </section>`;
}
