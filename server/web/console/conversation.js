// The selected conversation: who holds it, its messages, what the bot makes of it, and the composer.

import { close, handBack, read, take } from "./actions.js";
import { Composer } from "./composer.js";
import { Card } from "./card.js";
import { CitedText, DecisionCard, Draft, Sources, SuggestionCard } from "./draft.js";
import { fullTime, isoTime, reasonWords, timeWords, visitorName } from "./format.js";
import { LinkLine, Presence, StateChip } from "./list.js";
import { Named } from "./named.js";
import { Ongoing, toggleTicket } from "./ongoing.js";
import { Opinion } from "./opinion.js";
import { composingOf, store } from "./store.js";
import { TagChoice, Tags } from "./tag.js";
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Reading} Reading */
/** @typedef {import("./store.js").Detail} Detail */

/** How near to the end, in pixels, counts as reading the newest. */
const NEAR = 80;

/**
 * @param {Message} message
 * @returns {string}
 */
function authorOf(message) {
  if (message.from === "visitor") return "Visitor";
  if (message.from === "bot") return "Bot";
  return message.author ?? "You";
}

/**
 * How far an own message has got.
 * @param {number} seq
 * @param {Summary | undefined} summary
 * @returns {string}
 */
function reach(seq, summary) {
  if (summary && seq <= summary.visitor_read) return "Read";
  return summary && seq <= summary.visitor_delivered ? "Delivered" : "Stored";
}

/**
 * @param {{ message: Message, reading: Reading | undefined, mark: string }} props
 * @returns {VNode}
 */
function MessageRow({ message, reading, mark }) {
  const time = html`<time datetime=${isoTime(message.at)} title=${fullTime(message.at)}>${timeWords(message.at)}</time>`;
  if (message.from === "system") {
    return html`<li class="msg system" data-seq=${message.seq}><p class="text">${message.text} ${time}</p></li>`;
  }
  return html`<li class="msg ${message.from}" data-seq=${message.seq}>
    <p class="by">${authorOf(message)} ${time} ${mark && html`<span class="mark">✓ ${mark}</span>`} <${Tags} reading=${reading} /></p>
    ${message.card?.kind !== "file" && html`<div class="bubble"><${CitedText} text=${message.text} pieces=${message.pieces} citations=${message.citations} /></div>`}
    <${Card} card=${message.card} />
    <${Sources} citations=${message.citations} />
  </li>`;
}

/**
 * Name, state and the buttons that move the conversation.
 * @param {{ id: string, summary: Summary | undefined }} props
 * @returns {VNode}
 */
function Head({ id, summary }) {
  const state = summary?.state;
  const waits = state === "waiting" && summary?.reason;
  return html`<header class="bar head">
    <a class="back" href="#/" aria-label="Back to the list">‹</a>
    <div class="title">
      <h2 tabindex="-1">${visitorName(id)} ${summary && html`<${Presence} online=${summary.visitor_online} />`}</h2>
      ${summary && html`<p><${StateChip} state=${summary.state} />
        ${waits && html`<span class="reason">${reasonWords(waits)}</span>`}
        </p><${TagChoice} key=${id} id=${id} tag=${summary.tag} />`}
    </div>
    <div class="buttons">
      ${state && state !== "owner" && html`<button class="take ${state === "waiting" ? "primary" : ""}" key="take" onClick=${() => void take(id)}>Take over</button>`}
      ${(state === "owner" || state === "waiting") && html`<button class="hand-back" key="back" onClick=${() => void handBack(id)}>Hand back<span class="wide"> to the bot</span></button>`}
      <button class="quiet make-ticket" key="ticket" aria-label="Make a ticket" onClick=${toggleTicket}>Ticket</button>
      ${state && state !== "closed" && html`<button class="quiet close" key="close" onClick=${() => void close(id)}>Close</button>`}
    </div>
  </header>`;
}

/**
 * The messages and what belongs under the newest; stays at the end while the owner reads there.
 * @param {{ detail: Detail }} props
 * @returns {VNode}
 */
function Thread({ detail }) {
  /** @type {{ current: HTMLDivElement | null }} */
  const view = useRef(null);
  const atEnd = useRef(true);
  const onScroll = () => {
    const box = view.current;
    if (box) atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  };
  const toEnd = () => {
    if (atEnd.current && view.current) view.current.scrollTop = view.current.scrollHeight;
  };
  useLayoutEffect(toEnd, [detail.messages, detail.draft?.pieces, detail.draft?.tail, detail.decision, detail.suggestion, detail.typing]);
  useEffect(() => {
    if (!view.current) return undefined;
    const watcher = new ResizeObserver(toEnd);
    watcher.observe(view.current);
    return () => watcher.disconnect();
  }, []);
  const busy = composingOf(detail.id).sending;
  const summary = store.conversations.get(detail.id);
  const readings = new Map(detail.readings.map((one) => [one.seq, one]));
  return html`<div class="thread" ref=${view} onScroll=${onScroll} tabindex="0" role="region" aria-label="Messages">
    ${detail.loading && detail.messages.length === 0 && html`<p class="empty">Loading…</p>`}
    ${detail.failed && html`<p class="empty">${detail.failed} <button onClick=${() => void read(detail.id)}>Try again</button></p>`}
    <ol class="messages">${detail.messages.map((one) => html`<${MessageRow} key=${one.seq} message=${one} reading=${readings.get(one.seq)}
      mark=${one.from === "owner" ? reach(one.seq, summary) : ""} />`)}</ol>
    ${detail.typing && html`<p class="typing">The visitor is typing<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></p>`}
    ${detail.draft && html`<${Draft} draft=${detail.draft} />`}
    ${detail.decision && html`<${DecisionCard} decision=${detail.decision} />`}
    ${detail.suggestion && composingOf(detail.id).offer?.id !== detail.suggestion.id && html`<${SuggestionCard} id=${detail.id} suggestion=${detail.suggestion} busy=${busy} />`}
  </div>`;
}

/**
 * @param {{ id: string | null }} props
 * @returns {VNode}
 */
export function Conversation({ id }) {
  /** @type {{ current: HTMLElement | null }} */
  const root = useRef(null);
  useEffect(() => {
    const narrow = matchMedia("(max-width: 719px)").matches;
    const heading = /** @type {HTMLElement | null | undefined} */ (root.current?.querySelector("h2"));
    if (id && narrow) heading?.focus();
  }, [id]);
  const detail = store.detail;
  if (!id || !detail) {
    return html`<main class="conversation none" ref=${root}><p class="empty">${store.problem || "Choose a conversation to read along, or to take it over."}</p></main>`;
  }
  const summary = store.conversations.get(id);
  return html`<main class="conversation" ref=${root} aria-label=${visitorName(id)}>
    <${Head} id=${id} summary=${summary} />
    <${LinkLine} />
    ${store.problem && html`<p class="problem" role="alert">${store.problem}</p>`}
    ${detail.summary && html`<section class="summary" aria-label="In short">${detail.summary.map((one) => html`<p key=${one}>${one}</p>`)}</section>`}
    <${Named} named=${detail.named} />
    <${Ongoing} key=${`ongoing-${id}`} detail=${detail} />
    <${Opinion} key=${`opinion-${id}`} detail=${detail} />
    <${Thread} key=${id} detail=${detail} />
    ${summary && html`<${Composer} key=${`composer-${id}`} id=${id} state=${summary.state} />`}
  </main>`;
}
