// The page "Hours": when somebody is there, the pause for now, and what may be promised.

import * as desk from "./desk.js";
import { fullTime, plain, timeWords } from "./format.js";
import { Mistake, Sheet } from "./sheet.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Hours} Office */

const MINUTE_MS = 60_000;
/** When "tomorrow" begins for somebody who is away, as an hour of the owner's own clock. */
const MORNING = 8;

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  page.office = await desk.hours();
});

const page = register("hours", () => ({ office: /** @type {Office | null} */ (null) }), read);

/** @param {number | null} until @returns {Promise<boolean>} */
const away = (until) => doOne(page, "away", async () => {
  await desk.away(until);
  page.office = await desk.hours();
  page.said = until === null ? "You are there again." : "You are away.";
});

/** @returns {number} */
function tomorrow() {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  return day.setHours(MORNING, 0, 0, 0);
}

/** @param {{ office: Office }} props @returns {VNode} */
function Now({ office }) {
  const until = office.away_until;
  const gone = until !== null;
  const busy = page.busy !== "";
  const leave = (/** @type {string} */ label, /** @type {() => number} */ end) =>
    html`<button class="leave" disabled=${busy} onClick=${() => void away(end())}>${label}</button>`;
  return html`<section aria-labelledby="now-title">
    <h3 id="now-title">Now</h3>
    <p class="standing"><span class="state-chip ${office.open ? "owner" : "waiting"}">${gone ? "Away" : office.open ? "Open" : "Closed"}</span>
      ${gone && (until === 0 ? " until you say that you are back." : html` until <span title=${fullTime(until)}>${timeWords(until)}</span>.`)}
      ${!gone && !office.open && office.opens && ` Opens ${office.opens}.`}</p>
    <p class="note">While you are away or closed, the bot answers questions and takes tickets; it promises nobody an answer at once.</p>
    ${gone ? html`<p class="buttons"><button class="primary return" disabled=${busy} onClick=${() => void away(null)}>I am back</button></p>`
      : html`<div class="buttons" role="group" aria-label="I am away">
        <span class="faint">I am away</span>
        ${leave("for 30 minutes", () => Date.now() + 30 * MINUTE_MS)}
        ${leave("for 1 hour", () => Date.now() + 60 * MINUTE_MS)}
        ${leave(`until tomorrow, ${timeWords(new Date().setHours(MORNING, 0, 0, 0))}`, tomorrow)}
        ${leave("until I am back", () => 0)}
      </div>`}
  </section>`;
}

/** @param {{ spans: string[] }} props @returns {VNode} */
function Spans({ spans }) {
  return spans.length === 0 ? html`closed` : html`<span class="chips">${spans.map((one) => html`<span class="keep" key=${one}>${one.replace("-", " to ")}</span>`)}</span>`;
}

/** @param {{ office: Office }} props @returns {VNode} */
function Week({ office }) {
  if (office.week.every((one) => one.spans.length === 0)) {
    return html`<section aria-labelledby="week-title"><h3 id="week-title">The week</h3>
      <p class="note">No office hours are set, so somebody counts as there at all times. Set them in prompts/hours.toml.</p></section>`;
  }
  return html`<section aria-labelledby="week-title">
    <h3 id="week-title">The week</h3>
    <p class="note">Times of ${office.zone}. They stand in prompts/hours.toml.</p>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="week-title"><table>
      <thead><tr><th scope="col">Day</th><th scope="col">Open</th></tr></thead>
      <tbody>${office.week.map((one) => html`<tr key=${one.day}><th scope="row">${plain(one.day)}</th><td><${Spans} spans=${one.spans} /></td></tr>`)}
        ${office.holidays.map((one) => html`<tr key=${one.date}><th scope="row">${one.date} <span class="faint">${one.name}</span></th>
          <td><${Spans} spans=${one.spans} /></td></tr>`)}</tbody>
    </table></div>
  </section>`;
}

/** @param {{ office: Office }} props @returns {VNode} */
function Vows({ office }) {
  const { minutes, samples } = office.promise;
  return html`<section aria-labelledby="vow-title">
    <h3 id="vow-title">What visitors are promised</h3>
    <p>${minutes === null ? "An answer as soon as possible, without a number." : html`An answer within <strong>${minutes} minutes</strong>.`}</p>
    <p class="note">Worked out from ${samples} first ${samples === 1 ? "reply" : "replies"} of yours in the last 28 days, office hours only${minutes === null ? "; too few for a number" : ""}.</p>
  </section>`;
}

/** @returns {VNode} */
export function Hours() {
  const { office } = page;
  return html`<${Sheet} page=${page} title="Hours" read=${read}>
    ${office === null ? html`<p class="empty">${page.problem ? "" : "Loading…"}</p>` : html`
      <${Mistake} problem=${office.problem} />
      <${Now} office=${office} />
      <${Week} office=${office} />
      <${Vows} office=${office} />`}
  <//>`;
}
