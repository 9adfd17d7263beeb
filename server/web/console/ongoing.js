// What goes on in the open conversation beside its messages: the task, what was collected, calls, the ticket, the promise.

import * as api from "./api.js";
import { CallCard } from "./calls.js";
import { readCalls } from "./deeds.js";
import * as desk from "./desk.js";
import { plain, timeWords } from "./format.js";
import { Values } from "./sheet.js";
import { changed, ongoingOf, store } from "./store.js";
import { body, TicketForm } from "./ticket-form.js";
import { doOne } from "./work.js";
import { html, useEffect } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./store.js").Detail} Detail */

/** How long news of the open conversation is gathered before it is read again. */
const SOON_MS = 300;
/** How often a promise's time is shown anew. */
const TICK_MS = 15_000;
const MINUTE_MS = 60_000;

const work = { open: true, busy: "", said: "", problem: "" };
let timer = 0;

/** @returns {Promise<void>} */
async function fill() {
  const detail = store.detail;
  if (!detail) return;
  const opened = await api.conversation(detail.id);
  if (store.detail === detail && !detail.loading) detail.ongoing = ongoingOf(opened);
}

/** Something has happened in the open conversation: reads soon what goes on. @returns {void} */
export function readOngoing() {
  clearTimeout(timer);
  timer = setTimeout(() => void fill().then(changed, () => {}), SOON_MS); // the next frame reads again
}

/**
 * @param {string} what
 * @param {() => Promise<unknown>} act
 * @param {string} said
 * @returns {Promise<boolean>}
 */
async function doNow(what, act, said) {
  const done = await doOne(work, what, async () => {
    await act();
    await fill();
  });
  store.problem = work.problem;
  if (done) store.announcement = said;
  changed();
  return done;
}

/** @param {Call} call @param {boolean} yes @returns {Promise<void>} */
async function decide(call, yes) {
  if (await doNow(call.id, () => desk.decideCall(call.id, yes), `${call.title}: ${yes ? "approved" : "refused"}.`)) await readCalls();
}

/** Shows or hides the form of a new ticket. @returns {void} */
export function toggleTicket() {
  if (store.detail) store.detail.making = !store.detail.making;
  changed();
}

/** @param {{ detail: Detail }} props @returns {VNode} */
function NewTicket({ detail }) {
  const summary = store.conversations.get(detail.id);
  const [asked = "", ...others] = detail.summary ?? [];
  const first = detail.messages.find((one) => one.from === "visitor")?.text ?? "";
  const email = detail.ongoing?.verified ?? detail.named.find((one) => one.kind === "email")?.value ?? "";
  const start = { subject: first.slice(0, 120), summary: [asked, ...others].filter(Boolean).join("\n"), priority: "normal", status: "open", tags: summary?.tag ?? "", email };
  const keep = async (/** @type {import("./ticket-form.js").Draft} */ draft) => {
    const done = await doNow("ticket", () => desk.openTicket({ conversation: detail.id, ...body(draft) }), "The ticket is made.");
    if (done) detail.making = false;
    changed();
  };
  return html`<${TicketForm} key=${detail.id} start=${start} fresh=${true} busy=${work.busy !== ""} keep=${(/** @type {any} */ draft) => void keep(draft)}>
    <button type="button" class="quiet" onClick=${toggleTicket}>Cancel</button>
  <//>`;
}

/** By when an answer was promised, and how that stands. @param {{ vow: import("./types.js").Vow }} props @returns {VNode} */
function Promised({ vow }) {
  const kept = vow.kept_at !== null;
  useEffect(() => {
    if (kept) return undefined;
    const ticking = setInterval(changed, TICK_MS);
    return () => clearInterval(ticking);
  }, [kept]);
  const left = Math.ceil((vow.due_at - Date.now()) / MINUTE_MS);
  const late = !kept && left <= 0;
  const words = vow.kept_at !== null ? (vow.kept_at <= vow.due_at ? "kept" : "kept late") : late ? "overdue" : left > 90 ? "not due yet" : `${left} min left`;
  return html`<div class="vow ${late ? "late" : ""}"><dt>Answer promised</dt><dd>by ${timeWords(vow.due_at)}, ${words}</dd></div>`;
}

/** @param {{ detail: Detail }} props @returns {VNode | null} */
export function Ongoing({ detail }) {
  const now = detail.ongoing;
  if (!now) return null;
  const { task, collected, calls, ticket, promise, verified } = now;
  const waiting = calls.filter((one) => one.status === "waiting_owner");
  const others = calls.filter((one) => one.status !== "waiting_owner");
  const list = (/** @type {Call[]} */ some) => html`<ul class="findings">${some.map((one) =>
    html`<${CallCard} key=${one.id} call=${one} busy=${work.busy !== ""} decide=${(/** @type {Call} */ call, /** @type {boolean} */ yes) => void decide(call, yes)} />`)}</ul>`;
  if (detail.making) return html`<section class="ongoing making" aria-label="Make a ticket"><${NewTicket} detail=${detail} /></section>`;
  const facts = task || verified || ticket || promise;
  if (!facts && calls.length === 0 && collected.length === 0) return null;
  return html`<section class="ongoing" aria-label="What goes on">
    ${facts && html`<dl class="facts">
      ${task && html`<div><dt>In progress</dt><dd>${task.title}${task.at && `, ${task.at}`}</dd></div>`}
      ${verified && html`<div><dt>Shown by a code</dt><dd><bdi>${verified}</bdi></dd></div>`}
      ${promise && html`<${Promised} vow=${promise} />`}
      ${ticket && html`<div><dt>Ticket</dt><dd><a href=${`#/tickets/${ticket.id}`}>#${ticket.number}</a> ${plain(ticket.status)}</dd></div>`}
    </dl>`}
    ${waiting.length > 0 && list(waiting)}
    ${collected.length > 0 && html`<details class="collected"><summary>Collected: ${collected.map((one) => one.value).join(", ").slice(0, 80)}</summary><${Values} rows=${collected} /></details>`}
    ${others.length > 0 && html`<details class="done"><summary>Actions called: ${others.length}</summary>${list(others)}</details>`}
  </section>`;
}
