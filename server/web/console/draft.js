// The bot's side of a conversation: text with its citations, the live draft, the decision and the suggestion.

import { accept, discard, edit } from "./actions.js";
import { actionWord, pageUrl, percent, plain, reasonWords, short } from "./format.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Citation} Citation */
/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").Suggestion} Suggestion */
/** @typedef {import("./types.js").LiveDraft} LiveDraft */

/**
 * The probability that the reply is right and supported, as a number and a meter.
 * @param {{ value: number | null }} props
 * @returns {VNode}
 */
export function Confidence({ value }) {
  if (value === null) return html`<span class="confidence none">Confidence not known yet</span>`;
  return html`<span class="confidence">
    <span class="label">Confidence</span>
    <span class="meter" role="meter" aria-label="Confidence" aria-valuemin="0" aria-valuemax="1" aria-valuenow=${short(value)}
      aria-valuetext=${percent(value)}><i style=${{ width: percent(Math.min(Math.max(value, 0), 1)) }}></i></span>
    <strong>${percent(value)}</strong>
  </span>`;
}

/**
 * A citation's number behind the last piece that it supports; opens the cited page.
 * @param {{ number: number, citation: Citation | undefined }} props
 * @returns {VNode}
 */
function Cite({ number, citation }) {
  const url = citation && pageUrl(citation.url);
  const title = citation ? `Source ${number}: ${citation.title}` : `Source ${number}`;
  return html`<a class="cite" href=${url} target="_blank" rel="noopener" aria-label=${title} title=${title}>${number}</a>`;
}

/**
 * Text in pieces, each followed by its source's number (once for pieces in a row from one source).
 * @param {{ text: string, pieces: Piece[], citations: Citation[] }} props
 * @returns {VNode}
 */
export function CitedText({ text, pieces, citations }) {
  if (pieces.length === 0) return html`<p class="text">${text}</p>`;
  const byNumber = new Map(citations.map((one) => [one.number, one]));
  return html`<p class="text">${pieces.map((piece, i) => {
    const last = piece.cite !== null && pieces[i + 1]?.cite !== piece.cite;
    return html`<span class="piece">${piece.text}${last && html`<${Cite} number=${piece.cite} citation=${byNumber.get(Number(piece.cite))} />`}</span>`;
  })}</p>`;
}

/**
 * One source: its place in the document, the passage with the supporting part marked, and the page.
 * @param {{ citation: Citation }} props
 * @returns {VNode}
 */
function Source({ citation }) {
  const { excerpt, mark: [start, end] = [0, 0] } = citation;
  const url = pageUrl(citation.url);
  return html`<li><details>
    <summary><span class="number">${citation.number}</span> ${[citation.title, ...citation.heading].join(" › ")}</summary>
    <blockquote>${excerpt.slice(0, start)}<mark>${excerpt.slice(start, end)}</mark>${excerpt.slice(end)}</blockquote>
    ${url && html`<a href=${url} target="_blank" rel="noopener">Open the page</a>`}
  </details></li>`;
}

/**
 * @param {{ citations: Citation[] }} props
 * @returns {VNode | null}
 */
export function Sources({ citations }) {
  if (citations.length === 0) return null;
  return html`<ul class="sources" aria-label="Sources">
    ${citations.map((one) => html`<${Source} key=${one.number} citation=${one} />`)}
  </ul>`;
}

/**
 * The draft as it grows.
 * @param {{ draft: LiveDraft }} props
 * @returns {VNode}
 */
export function Draft({ draft }) {
  const pieces = draft.tail ? draft.pieces.concat({ text: draft.tail, cite: null }) : draft.pieces;
  return html`<section class="draft" aria-label="Live draft" data-draft=${draft.draft_id}>
    <header><h3>Drafting<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></h3><${Confidence} value=${draft.confidence} /></header>
    ${pieces.length > 0
      ? html`<${CitedText} text="" pieces=${pieces} citations=${draft.citations} />`
      : html`<p class="text faint">Reading the documents…</p>`}
    <${Sources} citations=${draft.citations} />
  </section>`;
}

/**
 * Names and numbers as a two-column list.
 * @param {{ title: string, rows: [string, string][] }} props
 * @returns {VNode | null}
 */
function Rows({ title, rows }) {
  if (rows.length === 0) return null;
  return html`<div class="rows"><h4>${title}</h4><dl>
    ${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl></div>`;
}

/**
 * What was decided, by which rule, and why.
 * @param {{ decision: Decision }} props
 * @returns {VNode}
 */
export function DecisionCard({ decision }) {
  const numbers = (/** @type {Record<string, number>} */ all, /** @type {string} */ unit) =>
    Object.entries(all ?? {}).map(([name, value]) => /** @type {[string, string]} */ ([plain(name), short(value) + unit]));
  const intents = (decision.intents ?? []).map((one) => /** @type {[string, string]} */ ([one.label, percent(one.score)]));
  return html`<section class="decision ${decision.action}" aria-label="Last decision">
    <header>
      <h3><span class="action">${actionWord(decision.action)}</span>: ${decision.why}</h3>
      ${typeof decision.confidence === "number" && html`<${Confidence} value=${decision.confidence} />`}
    </header>
    <p class="rule">Rule <code>${decision.rule}</code> · Reason: ${reasonWords(decision.reason)}${decision.send_at ? ` · Sent from ${percent(decision.send_at)}, held from ${percent(decision.hold_at ?? 0)}` : ""}</p>
    <details class="signals">
      <summary>Signals</summary>
      <div class="columns">
        <${Rows} title="Signals" rows=${numbers(decision.signals, "")} />
        <${Rows} title="Intents" rows=${intents} />
        <${Rows} title="Time" rows=${numbers(decision.timings_ms, " ms")} />
        <${Rows} title="Made with" rows=${[["Drafter", decision.drafter], ["Mode", decision.mode], ["Knowledge", String(decision.knowledge ?? "").slice(0, 12)]]} />
      </div>
    </details>
  </section>`;
}

/**
 * A draft that was held for the owner.
 * @param {{ id: string, suggestion: Suggestion, busy: boolean }} props
 * @returns {VNode}
 */
export function SuggestionCard({ id, suggestion, busy }) {
  const onEdit = () => {
    edit(id, suggestion);
    const box = /** @type {HTMLTextAreaElement | null} */ (document.querySelector(".composer textarea"));
    box?.focus();
  };
  return html`<section class="suggestion" aria-label="Suggested reply" data-suggestion=${suggestion.id}>
    <header><h3>Suggested reply</h3><${Confidence} value=${suggestion.confidence} /></header>
    <${CitedText} text=${suggestion.text} pieces=${suggestion.pieces} citations=${suggestion.citations} />
    <${Sources} citations=${suggestion.citations} />
    <div class="buttons">
      <button class="primary accept" disabled=${busy} onClick=${() => void accept(id, suggestion)}>Accept and send</button>
      <button class="edit" disabled=${busy} onClick=${onEdit}>Edit</button>
      <button class="quiet discard" disabled=${busy} onClick=${() => void discard(id, suggestion)}>Discard</button>
    </div>
  </section>`;
}
