// The links to the console's pages, by what they are for.

import { waitingCalls } from "./deeds.js";
import { intents } from "./intents.js";
import { library } from "./library.js";
import { waitingReviews } from "./reviews.js";
import { rulebook } from "./rulebook.js";
import { saved } from "./saved.js";
import { isOpen } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/**
 * One page's link; what the owner should look at stands beside its name.
 * @param {{ to: string, open: boolean, look?: string | number | boolean | null, children?: unknown }} props
 * @returns {VNode}
 */
function PageLink({ to, open, look, children }) {
  const words = typeof look === "number" ? `${look} waiting` : "Look here";
  return html`<li><a class="library ${to}" href=${`#/${to}`} aria-current=${open ? "page" : undefined}>${children}
    ${look ? html`<span class="count"><span aria-hidden="true">${typeof look === "number" ? look : "!"}</span><span class="sr">${words}</span></span>` : null}</a></li>`;
}

/** @param {{ name: string, children?: unknown }} props @returns {VNode} */
function Pages({ name, children }) {
  const id = `pages-${name.toLowerCase().replace(/\W/g, "")}`;
  return html`<p id=${id}>${name}</p><ul aria-labelledby=${id}>${children}</ul>`;
}

/** @returns {VNode} */
export function PageLinks() {
  const { status } = library;
  return html`<nav class="pages" aria-label="Pages">
    <${Pages} name="To do">
      <${PageLink} to="tickets" open=${isOpen("tickets")}>Tickets<//>
      <${PageLink} to="leads" open=${isOpen("leads")}>Leads<//>
      <${PageLink} to="actions" open=${isOpen("actions")} look=${waitingCalls()}>Actions<//>
      <${PageLink} to="reviews" open=${isOpen("reviews")} look=${waitingReviews()}>Reviews<//>
    <//>
    <${Pages} name="Results">
      <${PageLink} to="scorecard" open=${isOpen("scorecard")}>Scorecard<//>
      <${PageLink} to="gaps" open=${isOpen("gaps")}>Gaps<//>
      <${PageLink} to="events" open=${isOpen("events")}>Events<//>
    <//>
    <${Pages} name="Set-up">
      <${PageLink} to="knowledge" open=${library.open} look=${Boolean(status?.pinned || status?.error || status?.problems.length)}>Knowledge<//>
      <${PageLink} to="rules" open=${rulebook.open}>Rules<//>
      <${PageLink} to="saved" open=${saved.open}>Saved replies<//>
      <${PageLink} to="examples" open=${intents.open} look=${Boolean(intents.prompts?.problem)}>Learned examples<//>
      <${PageLink} to="hours" open=${isOpen("hours")}>Hours<//>
      <${PageLink} to="notifications" open=${isOpen("notifications")}>Notifications<//>
    <//>
  </nav>`;
}
