// The list of conversations: those that wait for the owner first, then the newest.

import { signOut } from "./actions.js";
import { isoTime, plain, reasonWords, stateWord, timeWords, fullTime, visitorName } from "./format.js";
import { Stars } from "./opinion.js";
import { PageLinks } from "./pages.js";
import { sorted, store } from "./store.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Summary} Summary */

/** @type {Record<string, string>} */
const WHO = { bot: "Bot: ", owner: "You: " };

/**
 * Who holds the conversation.
 * @param {{ state: import("./types.js").State }} props
 * @returns {VNode}
 */
export function StateChip({ state }) {
  return html`<span class="state-chip ${state}">${stateWord(state)}</span>`;
}

/**
 * A green dot while the visitor's page is open, as far as that is known.
 * @param {{ online: boolean }} props
 * @returns {VNode}
 */
export function Presence({ online }) {
  const known = store.link === "open";
  const words = known ? (online ? "Visitor online" : "Visitor offline") : "Not known while reconnecting";
  return html`<span class="presence ${known && online ? "on" : ""}" title=${words}><span class="sr">${words}</span></span>`;
}

/** How the connection is, unless it is well. @returns {VNode | null} */
export function LinkLine() {
  if (store.link === "open") return null;
  return html`<p class="link" role="status">${store.link === "lost" ? "Connection lost. Reconnecting…" : "Connecting…"}</p>`;
}

/**
 * @param {{ summary: Summary, current: boolean }} props
 * @returns {VNode}
 */
function Item({ summary, current }) {
  const unread = current && document.visibilityState === "visible" ? 0 : summary.unread;
  const waits = summary.state === "waiting";
  return html`<li>
    <a href=${`#/c/${summary.id}`} data-id=${summary.id} aria-current=${current ? "page" : undefined}
      class="item ${summary.state} ${unread ? "unread" : ""}">
      <span class="line">
        <${Presence} online=${summary.visitor_online} />
        <strong class="name">${visitorName(summary.id)}</strong>
        ${summary.tag && html`<span class="tag">${plain(summary.tag)}</span>`}
        <time datetime=${isoTime(summary.updated_at)} title=${fullTime(summary.updated_at)}>${timeWords(summary.updated_at)}</time>
      </span>
      <span class="line">
        <span class="last">${WHO[summary.last_from ?? ""] ?? ""}${summary.last_text || "No message yet"}</span>
        ${unread > 0 && html`<span class="count"><span aria-hidden="true">${unread}</span><span class="sr">${unread} unread</span></span>`}
      </span>
      <span class="line">
        <${StateChip} state=${summary.state} />
        ${waits && summary.reason && html`<span class="reason">${reasonWords(summary.reason)}</span>`}
        ${summary.rating && html`<${Stars} score=${summary.rating[0]} scale=${summary.rating[1]} />`}
      </span>
    </a>
  </li>`;
}

/**
 * @param {{ title: string, items: Summary[] }} props
 * @returns {VNode}
 */
function Group({ title, items }) {
  return html`<section>
    <h2>${title} <span>${items.length}</span></h2>
    <ul>${items.map((one) => html`<${Item} key=${one.id} summary=${one} current=${store.detail?.id === one.id} />`)}</ul>
  </section>`;
}

/** @returns {VNode} */
export function List() {
  const all = sorted();
  const waiting = all.filter((one) => one.state === "waiting");
  const others = all.filter((one) => one.state !== "waiting");
  return html`<aside class="side">
    <header class="bar">
      <h1 class="brand">Porchlight</h1>
      <span class="who" title=${store.me?.owner?.email ?? ""}>${store.me?.owner?.name ?? ""}</span>
      <button class="quiet sign-out" onClick=${() => void signOut()}>Sign out</button>
    </header>
    <${PageLinks} />
    <${LinkLine} />
    <nav class="conversation-list" aria-label="Conversations">
      ${waiting.length > 0 && html`<${Group} key="waiting" title="Waiting for you" items=${waiting} />`}
      ${others.length > 0 && html`<${Group} key="others" title=${waiting.length ? "Other conversations" : "Conversations"} items=${others} />`}
      ${all.length === 0 && html`<p class="empty" key="empty">${store.listed ? "No conversations yet. They appear here as soon as a visitor writes." : "Loading…"}</p>`}
    </nav>
  </aside>`;
}
