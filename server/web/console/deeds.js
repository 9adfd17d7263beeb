// The page "Actions": what may be done for visitors, and every call that was made or waits for the owner.

import { CallCard } from "./calls.js";
import * as desk from "./desk.js";
import { Mistake, Sheet } from "./sheet.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Action} Action */
/** @typedef {import("./types.js").Call} Call */

/** @typedef {{ actions: Action[] | null, calls: Call[], mistake: string | null }} Deeds */

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  const [{ actions, problem }, { calls }] = await Promise.all([desk.actions(), desk.calls()]);
  Object.assign(page, { actions, calls, mistake: problem });
});

const page = register("actions", () => /** @type {Deeds} */ ({ actions: null, calls: [], mistake: null }), read);

/** @returns {number} calls that wait for the owner, as far as they are known */
export const waitingCalls = () => page.calls.filter((one) => one.status === "waiting_owner").length;

/** Reads the calls again: one has come or was decided. @returns {Promise<boolean>} */
export const readCalls = () => doOne(page, "calls", async () => {
  page.calls = (await desk.calls()).calls;
});

/** @param {Call} call @param {boolean} yes @returns {Promise<boolean>} */
const decide = (call, yes) => doOne(page, call.id, async () => {
  await desk.decideCall(call.id, yes);
  page.calls = (await desk.calls()).calls;
  page.said = `${call.title}: ${yes ? "approved" : "refused"}.`;
});

/** @param {{ action: Action }} props @returns {VNode} */
function One({ action }) {
  const asks = action.arguments.length > 0 ? `Asks for ${action.arguments.join(", ")}.` : "Asks for nothing.";
  return html`<li class="finding">
    <p><strong>${action.title}</strong>
      <span class="state-chip">${action.access === "write" ? "Changes something" : "Reads only"}</span>
      ${action.verified && html`<span class="state-chip bot">After a code by e-mail</span>`}
      ${action.owner_confirms && html`<span class="state-chip waiting">After your yes</span>`}
      <span class="faint">actions.toml, line ${action.line}</span></p>
    <p><code>${action.method} ${action.address}</code></p>
    <p class="faint">${asks}${action.access === "write" ? " The visitor confirms all values on a card." : ""}</p>
  </li>`;
}

/** @returns {VNode} */
export function Actions() {
  const { actions, calls } = page;
  const busy = page.busy !== "";
  const onDecide = (/** @type {Call} */ call, /** @type {boolean} */ yes) => void decide(call, yes);
  const waiting = calls.filter((one) => one.status === "waiting_owner");
  const others = calls.filter((one) => one.status !== "waiting_owner");
  const list = (/** @type {Call[]} */ some) => html`<ul class="findings">${some.map((one) =>
    html`<${CallCard} key=${one.id} call=${one} busy=${busy} decide=${onDecide} from />`)}</ul>`;
  return html`<${Sheet} page=${page} title="Actions" read=${read}>
    <${Mistake} problem=${page.mistake} />
    ${waiting.length > 0 && html`<section aria-labelledby="waiting-title"><h3 id="waiting-title">Waiting for your yes</h3>${list(waiting)}</section>`}
    <section aria-labelledby="may-title">
      <h3 id="may-title">What may be done for visitors</h3>
      <p class="note">Written in prompts/actions.toml. Whose account it is comes from the proved address, never from what somebody writes.</p>
      ${actions === null || actions.length === 0 ? html`<p class="empty">${actions === null ? "Loading…" : "There is no action."}</p>`
        : html`<ul class="findings">${actions.map((one) => html`<${One} key=${one.id} action=${one} />`)}</ul>`}
    </section>
    <section aria-labelledby="calls-title">
      <h3 id="calls-title">What was done</h3>
      ${others.length === 0 ? html`<p class="note">Nothing yet. Each call will stand here with its values, who agreed to it, and what came of it.</p>` : list(others)}
    </section>
  <//>`;
}
