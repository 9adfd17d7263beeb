// The page "Events": the stream that every figure follows from, as a file or for a program, and a trial of the measuring.

import * as desk from "./desk.js";
import { fullTime } from "./format.js";
import { Sheet } from "./sheet.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").StreamEvent} StreamEvent */

const MOST = 100;

/** @type {Record<string, string>} */
const WORDS = {
  chat_opened: "Chat opened", conversation_started: "Conversation started", message_sent: "Message", first_response: "First response",
  reply_decided: "Reply decided", handed_off: "Handed off", taken_over: "Taken over", handed_back: "Handed back", draft_cancelled: "Draft stopped",
  suggestion_accepted: "Suggestion accepted", suggestion_edited: "Suggestion edited", suggestion_discarded: "Suggestion discarded",
  action_called: "Action", lead_captured: "Lead", ticket_opened: "Ticket", tag_corrected: "Tag put right", chat_resolved: "Resolved",
  chat_reopened: "Reopened", csat_asked: "CSAT asked", csat_submitted: "CSAT given", csat_declined: "CSAT declined", nps_asked: "NPS asked",
  nps_submitted: "NPS given", nps_declined: "NPS declined", rubric_scored: "Chat judged", converted: "Conversion",
};

const empty = () => ({
  events: /** @type {StreamEvent[] | null} */ (null), name: "", more: false,
  ticket: "", url: "", trial: /** @type {import("./types.js").Trial | null} */ (null),
});

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  await fetchFrom("");
  if (page.ticket) page.trial = await desk.checkTrial(page.ticket);
});

/** @param {string} before query that names where to go on, empty for the newest */
async function fetchFrom(before) {
  const { events } = await desk.events(`limit=${MOST}&name=${page.name}${before}`);
  page.events = before ? [...(page.events ?? []), ...events] : events;
  page.more = events.length === MOST;
}

const page = register("events", empty, read);

const older = () => doOne(page, "older", () => fetchFrom(`&before=${page.events?.at(-1)?.n ?? 0}`));

const begin = () => doOne(page, "trial", async () => {
  const { ticket, url } = await desk.stage();
  Object.assign(page, { ticket, url, trial: await desk.checkTrial(ticket) });
});

/** @param {unknown} value @returns {string} */
function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
}

/** @param {Record<string, unknown>} data @returns {string} */
function said(data) {
  const parts = Object.entries(data).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0));
  return parts.map(([key, value]) => `${key}: ${shown(value)}`).join(" · ");
}

/** @param {{ event: StreamEvent }} props @returns {VNode} */
function Row({ event }) {
  const at = Date.parse(event.at);
  return html`<tr>
    <td><time datetime=${event.at} title=${event.at}>${fullTime(at)}</time></td>
    <th scope="row">${WORDS[event.name] ?? event.name}</th>
    <td>${event.conversation ? html`<a href=${`#/c/${event.conversation}`} aria-label="The conversation">${event.conversation.slice(0, 6)}</a>` : "–"}</td>
    <td class="data">${said(event.data)}</td>
  </tr>`;
}

/** @returns {VNode} */
function Trial() {
  const { trial } = page;
  const good = trial?.checks.filter((one) => one.ok).length ?? 0;
  return html`<section aria-labelledby="trial-title">
    <h3 id="trial-title">Try the measuring out</h3>
    <p class="note">A trial chat counts in no figure. Open it, ask something, answer it here as yourself, close it, rate it. Then look what has been measured.</p>
    <p><button onClick=${() => void begin()} disabled=${page.busy !== ""}>${trial ? "Begin another trial" : "Begin a trial"}</button>
      ${page.url && html` <a class="button" href=${page.url} target="_blank" rel="noopener">Open the trial chat</a>`}
      ${page.url && html` <button class="quiet" onClick=${() => void read()} disabled=${page.busy !== ""}>Look again</button>`}</p>
    ${page.url && html`<p class="note">On your own site: add <code>?porchlight-trial=${page.ticket}</code> to the address of a page with the chat.</p>`}
    ${trial && html`<p role="status">${good} of ${trial.checks.length} are as they should be.</p>
      <ul class="checks">${trial.checks.map((one) => html`<li key=${one.id} class=${one.ok ? "ok" : "missing"}>
        <strong>${one.ok ? "✓" : "○"} ${one.title}</strong><span class="sr">${one.ok ? ": as it should be" : ": not yet"}</span> <span class="note">${one.detail}</span></li>`)}</ul>`}
  </section>`;
}

/** @returns {VNode} */
export function Events() {
  const { events } = page;
  const choose = (/** @type {{ target: HTMLSelectElement }} */ event) => {
    page.name = event.target.value;
    void read();
  };
  const address = (/** @type {string} */ format) => `/console/api/events/export?format=${format}&name=${page.name}`;
  return html`<${Sheet} page=${page} title="Events" read=${read}>
    <${Trial} />
    <section aria-labelledby="events-title">
      <h3 id="events-title">What has happened</h3>
      <p class="note">Every figure follows from these. None holds words of a message. Programs read them at <code>/api/events</code> with a key, or get them as signed webhooks: see prompts/notify.toml, <code>stream</code>.</p>
      <p class="exports"><label>Show <select onChange=${choose} value=${page.name}><option value="">everything</option>
        ${Object.entries(WORDS).map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}</select></label>
        Export: <a href=${address("csv")} download>CSV</a> <a href=${address("jsonl")} download>JSON lines</a></p>
      ${events === null || events.length === 0
        ? html`<p class="empty">${events === null ? "Loading…" : "Nothing yet."}</p>`
        : html`<div class="wide" tabindex="0" role="region" aria-label="Events, the newest first"><table class="stream">
            <thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Chat</th><th scope="col">Details</th></tr></thead>
            <tbody>${events.map((one) => html`<${Row} key=${one.n} event=${one} />`)}</tbody></table></div>
          ${page.more && html`<p><button onClick=${() => void older()} disabled=${page.busy !== ""}>Older ones</button></p>`}`}
    </section>
  <//>`;
}
