// The page "Leads": what visitors have told about themselves, the newest first.

import * as desk from "./desk.js";
import { plain } from "./format.js";
import { Exports, Sheet, Values, When } from "./sheet.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Lead} Lead */

/** @type {Record<string, string>} */
const STATUS = { open: "Being asked", complete: "Complete", stopped: "Stopped by the visitor" };

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  page.leads = (await desk.leads()).leads;
});

const page = register("leads", () => ({ leads: /** @type {Lead[] | null} */ (null) }), read);

/** @param {{ lead: Lead }} props @returns {VNode} */
function One({ lead }) {
  return html`<li class="finding lead ${lead.level === "high" ? "waits" : ""}">
    <p><strong>${plain(lead.flow)}</strong>
      ${lead.level && html`<span class="state-chip ${lead.level === "high" ? "waiting" : ""}">${plain(lead.level)} interest</span>`}
      <span class="state-chip ${lead.status === "complete" ? "owner" : ""}">${STATUS[lead.status] ?? plain(lead.status)}</span>
      <${When} at=${lead.at} /></p>
    <${Values} rows=${lead.slots} />
    <p><a href=${`#/c/${lead.conversation}`}>The conversation</a></p>
  </li>`;
}

/** @returns {VNode} */
export function Leads() {
  const { leads } = page;
  return html`<${Sheet} page=${page} title="Leads" read=${read}>
    <section aria-labelledby="leads-title">
      <h3 id="leads-title">Who would like to hear from you</h3>
      <p class="note">What is asked, and what makes a lead a good one, stands in prompts/flows.toml and on the page <a href="#/rules">Rules</a>.</p>
      ${leads === null || leads.length === 0
        ? html`<p class="empty">${leads === null ? "Loading…" : "No lead yet."}</p>`
        : html`<${Exports} path="leads" /><ul class="findings">${leads.map((one) => html`<${One} key=${one.id} lead=${one} />`)}</ul>`}
    </section>
  <//>`;
}
