// The form of a ticket, for a new one and for one that is changed.

import { html, useEffect, useRef, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/** @type {[string, string][]} */
export const PRIORITIES = [["low", "Low"], ["normal", "Normal"], ["high", "High"], ["urgent", "Urgent"]];
/** @type {[string, string][]} */
export const STATUSES = [["open", "Open"], ["pending", "Waits for the visitor"], ["solved", "Solved"]];

/** @typedef {{ subject: string, summary: string, priority: string, tags: string, email: string, status: string }} Draft */

/** @param {{ choices: [string, string][] }} props @returns {VNode[]} */
export const Options = ({ choices }) => choices.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`);

/**
 * @param {Draft} draft
 * @returns {import("./desk.js").TicketBody}
 */
export const body = ({ subject, summary, priority, tags, email }) => ({
  subject: subject.trim(), summary: summary.trim(), priority, tags: tags.split(",").map((one) => one.trim()).filter(Boolean), email: email.trim() || null,
});

/**
 * @param {{ start: Draft, fresh: boolean, busy: boolean, keep: (draft: Draft) => void, children?: unknown }} props
 * @returns {VNode}
 */
export function TicketForm({ start, fresh, busy, keep, children }) {
  const [draft, put] = useState(start);
  /** @type {{ current: HTMLInputElement | null }} */
  const first = useRef(null);
  useEffect(() => {
    if (fresh) first.current?.focus();
  }, []);
  const onInput = (/** @type {{ target: HTMLInputElement }} */ event) => {
    const { name, value } = event.target;
    put((before) => ({ ...before, [name]: value }));
  };
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    keep(draft);
  };
  return html`<form class="editor ticket-form" aria-label=${fresh ? "New ticket" : "The ticket"} onSubmit=${onSubmit}>
    <label class="field"><span>Subject</span><input name="subject" ref=${first} required maxlength="120" value=${draft.subject} onInput=${onInput} /></label>
    <label class="field"><span>Summary</span><textarea name="summary" rows="4" maxlength="4000" value=${draft.summary} onInput=${onInput}></textarea></label>
    <div class="pair">
      <label class="field"><span>Priority</span><select name="priority" value=${draft.priority} onInput=${onInput}><${Options} choices=${PRIORITIES} /></select></label>
      ${!fresh && html`<label class="field"><span>Status</span><select name="status" value=${draft.status} onInput=${onInput}><${Options} choices=${STATUSES} /></select></label>`}
      <label class="field"><span>Tags</span><input name="tags" placeholder="billing, refund" value=${draft.tags} onInput=${onInput} /></label>
      <label class="field"><span>E-mail of the visitor</span><input name="email" type="email" value=${draft.email} onInput=${onInput} /></label>
    </div>
    <p class="buttons"><button class="primary keep" disabled=${busy}>${fresh ? "Make the ticket" : "Save"}</button>${children}</p>
  </form>`;
}
