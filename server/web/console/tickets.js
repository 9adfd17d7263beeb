// The page "Tickets": what is left to do for visitors, with filters; one of them with its form and a reply.

import * as desk from "./desk.js";
import { plain } from "./format.js";
import { Exports, Sheet, When } from "./sheet.js";
import { changed } from "./store.js";
import { body, Options, PRIORITIES, STATUSES, TicketForm } from "./ticket-form.js";
import { doOne, register } from "./work.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Ticket} Ticket */

/** @returns {string} the filters as in an address */
const query = () => String(new URLSearchParams(Object.entries(page.filter).filter(([, value]) => value !== "")));

/** @returns {Promise<void>} */
async function fill() {
  page.tickets = (await desk.tickets(query())).tickets;
  if (!page.id || page.tickets.some((one) => one.id === page.id) || !query()) return;
  page.filter = { ...none }; // the open one is not among those that the filters leave
  page.tickets = (await desk.tickets("")).tickets;
}

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", fill);

const none = { status: "", priority: "", tag: "", q: "" };
const page = register("tickets", () => ({ tickets: /** @type {Ticket[] | null} */ (null), filter: { ...none } }), read);

/** @param {string} id @param {import("./ticket-form.js").Draft} draft @returns {Promise<boolean>} */
const keep = (id, draft) => doOne(page, "keep", async () => {
  await desk.editTicket(id, { ...body(draft), status: draft.status });
  await fill();
  page.said = "The ticket is saved.";
});

/** @param {string} id @param {string} text @returns {Promise<boolean>} */
const reply = (id, text) => doOne(page, "reply", async () => {
  const { mailed } = await desk.replyToTicket(id, text);
  await fill();
  page.said = mailed ? "The reply goes out by e-mail and stands in the conversation." : "The reply stands in the conversation.";
});

/** @param {string} status @returns {string} */
const statusWord = (status) => STATUSES.find(([own]) => own === status)?.[1] ?? plain(status);

/** @param {{ ticket: Ticket }} props @returns {VNode} */
function Chips({ ticket }) {
  const pressing = ticket.priority === "high" || ticket.priority === "urgent";
  return html`<span class="state-chip ${ticket.status === "solved" ? "owner" : ""}">${statusWord(ticket.status)}</span>
    ${ticket.priority !== "normal" && html` <span class="state-chip ${pressing ? "waiting" : ""}">${plain(ticket.priority)}</span>`}`;
}

/** @returns {VNode} */
function Filters() {
  const { filter } = page;
  const onInput = (/** @type {{ target: HTMLInputElement }} */ event) => {
    filter[/** @type {keyof typeof none} */ (event.target.name)] = event.target.value.trim();
    changed();
  };
  const onChange = (/** @type {{ target: HTMLInputElement }} */ event) => {
    onInput(event);
    void read();
  };
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void read();
  };
  return html`<form class="search filters" role="search" aria-label="Filters" onSubmit=${onSubmit}>
    <label><span>Status</span><select name="status" value=${filter.status} onChange=${onChange}><option value="">All</option><${Options} choices=${STATUSES} /></select></label>
    <label><span>Priority</span><select name="priority" value=${filter.priority} onChange=${onChange}><option value="">All</option><${Options} choices=${PRIORITIES} /></select></label>
    <label><span>Tag</span><input name="tag" value=${filter.tag} onInput=${onInput} /></label>
    <label><span>Words</span><input name="q" type="search" value=${filter.q} onInput=${onInput} /></label>
    <button disabled=${page.busy !== ""}>Filter</button>
  </form>`;
}

/** @param {{ ticket: Ticket }} props @returns {VNode} */
function Line({ ticket }) {
  return html`<li class="finding ticket">
    <p><a href=${`#/tickets/${ticket.id}`}><span class="faint">#${ticket.number}</span> <strong dir="auto">${ticket.subject}</strong></a> <${Chips} ticket=${ticket} /> <${When} at=${ticket.updated_at} /></p>
    <p class="faint">${ticket.email ?? "No e-mail address"}, by ${ticket.by === "bot" ? "the bot" : ticket.by} ${ticket.tags.map((tag) => html`<span class="tag" key=${tag}>${tag}</span> `)}</p>
  </li>`;
}

/** @param {{ ticket: Ticket }} props @returns {VNode} */
function Reply({ ticket }) {
  const [text, write] = useState("");
  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (text.trim() && await reply(ticket.id, text.trim())) write("");
  };
  return html`<form class="editor" aria-labelledby="reply-title" onSubmit=${onSubmit}>
    <h3 id="reply-title">Reply</h3>
    <p class="note">${ticket.email ? `It goes by e-mail to ${ticket.email} and into the conversation.` : "There is no e-mail address: it goes into the conversation only."}</p>
    <label class="field"><span>Your reply</span><textarea name="reply" rows="5" required maxlength="4000" value=${text}
      onInput=${(/** @type {{ target: HTMLTextAreaElement }} */ event) => write(event.target.value)}></textarea></label>
    ${page.said.startsWith("The reply") && html`<p class="note">${page.said}</p>`}
    <p class="buttons"><button class="primary send-reply" disabled=${page.busy !== "" || !text.trim()}>Send the reply</button></p>
  </form>`;
}

/** @param {{ ticket: Ticket }} props @returns {VNode} */
function One({ ticket }) {
  const start = { ...ticket, tags: ticket.tags.join(", "), email: ticket.email ?? "" };
  return html`<section aria-labelledby="ticket-title">
    <h3 id="ticket-title"><span class="faint">#${ticket.number}</span> <span dir="auto">${ticket.subject}</span></h3>
    <p class="chips"><${Chips} ticket=${ticket} /> <a href=${`#/c/${ticket.conversation}`}>The conversation</a>
      <span class="faint">Made by ${ticket.by === "bot" ? "the bot" : ticket.by}, <${When} at=${ticket.created_at} /></span></p>
    <${TicketForm} key=${`${ticket.id} ${ticket.updated_at}`} start=${start} fresh=${false} busy=${page.busy !== ""}
      keep=${(/** @type {import("./ticket-form.js").Draft} */ draft) => void keep(ticket.id, draft)} />
  </section>
  <${Reply} key=${ticket.id} ticket=${ticket} />`;
}

/** @returns {VNode} */
export function Tickets() {
  const { tickets, id } = page;
  const ticket = id ? tickets?.find((one) => one.id === id) : undefined;
  if (id) {
    return html`<${Sheet} page=${page} title=${ticket ? `Ticket ${ticket.number}` : "Ticket"} back="#/tickets" read=${read}>
      ${ticket ? html`<p><a href="#/tickets">All tickets</a></p><${One} ticket=${ticket} />` : html`<p class="empty">${tickets === null ? "Loading…" : "There is no such ticket."}</p>`}
    <//>`;
  }
  return html`<${Sheet} page=${page} title="Tickets" read=${read}>
    <${Filters} />
    <section aria-labelledby="tickets-title">
      <h3 id="tickets-title">Tickets</h3>
      ${tickets === null || tickets.length === 0
        ? html`<p class="empty">${tickets === null ? "Loading…" : query() ? "No ticket is left by these filters." : "No ticket yet."}</p>`
        : html`<${Exports} path="tickets" query=${query()} /><ul class="findings">${tickets.map((one) => html`<${Line} key=${one.id} ticket=${one} />`)}</ul>`}
    </section>
  <//>`;
}
