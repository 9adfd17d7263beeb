// Tags on the screen: what a message is about, and the choice by which the owner puts it right.

import { about, correct, intents, newest } from "./intents.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Reading} Reading */

/**
 * The tags beside a message: the primary one, then the others.
 * @param {{ reading: Reading | undefined }} props
 * @returns {VNode | null}
 */
export function Tags({ reading }) {
  const first = about(reading);
  if (!reading || !first) return null;
  const others = reading.tags.slice(1).filter((one) => one.id !== first.id);
  const read = reading.corrected && reading.tags[0];
  const title = read ? `Read as “${read.label}”, corrected by you` : undefined;
  return html`<span class="tags"><span class="tag" title=${title}>${first.label}${reading.corrected && html`<span class="sr"> (corrected by you)</span>`}</span>${others.map((one) =>
    html` <span class="tag second" key=${one.id}>${one.label}</span>`)}</span>`;
}

/**
 * What the newest message is about, and the way to say that it is about something else.
 * @param {{ id: string, tag: string | null }} props
 * @returns {VNode | null}
 */
export function TagChoice({ id, tag }) {
  const choices = intents.prompts?.intents ?? [];
  const at = newest();
  const now = about(at?.reading);
  const [chosen, choose] = useState(/** @type {{ seq: number, intent: string } | null} */ (null));
  if (!at || choices.length === 0) return tag ? html`<span class="tag">${tag}</span>` : null;
  const intent = choices.find((one) => chosen?.seq === at.seq && one.id === chosen.intent);
  const gone = now && !choices.some((one) => one.id === now.id);
  const onChange = (/** @type {{ target: HTMLSelectElement }} */ event) => choose({ seq: at.seq, intent: event.target.value });
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (intent) void correct(id, at.seq, intent).then(() => choose(null));
  };
  return html`<form class="tag-choice" onSubmit=${onSubmit}>
    <select aria-label="What the newest message is about" value=${intent?.id ?? now?.id ?? ""} onChange=${onChange}>
      ${!now && html`<option value="">No tag yet</option>`}
      ${gone && html`<option value=${now.id}>${now.label}</option>`}
      ${choices.map((one) => html`<option key=${one.id} value=${one.id}>${one.label}</option>`)}
    </select>
    ${intent && intent.id !== now?.id && html`<button disabled=${intents.busy !== ""}>Correct the tag</button>`}
  </form>`;
}
