// The box in which the owner writes; touching it takes the conversation.

import { ownTyping, sendComposed, stopTyping, touched } from "./actions.js";
import { Copilot, discardOffer } from "./copilot.js";
import { written } from "./offer.js";
import { EmptySlots, Picker, pick } from "./picker.js";
import { emptySlots } from "./saved.js";
import { changed, composingOf } from "./store.js";
import { html, useLayoutEffect, useRef } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").State} State */

/** @type {Record<State, string>} */
const HINTS = {
  bot: "Write, and the bot stops",
  waiting: "Write, and it is yours",
  owner: "Write a reply",
  closed: "Closed. Write to take it up again",
};

const LIMIT = 4000;

/**
 * @param {{ id: string, state: State }} props
 * @returns {VNode}
 */
export function Composer({ id, state }) {
  const composing = composingOf(id);
  /** @type {{ current: HTMLTextAreaElement | null }} */
  const box = useRef(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.height = "";
    if (composing.text) box.current.style.height = `${Math.min(box.current.scrollHeight + 2, 200)}px`;
  }, [composing.text, id]);
  const onInput = (/** @type {InputEvent} */ event) => {
    written(composing, /** @type {HTMLTextAreaElement} */ (event.currentTarget).value);
    touched(id);
    if (composing.text.trim()) ownTyping(id);
    changed();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "/" && !composing.text) {
      event.preventDefault();
      pick(id);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void sendComposed(id);
    } else if (event.key === "Escape" && !event.isComposing && discardOffer(id)) {
      event.preventDefault();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      touched(id);
    }
  };
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void sendComposed(id);
  };
  const drop = () => {
    composing.suggestion = null;
    changed();
  };
  return html`<form class="composer" onSubmit=${onSubmit}>
    <${Copilot} id=${id} />
    ${composing.suggestion && !composing.offer && html`<p class="editing">Editing the suggestion
      <button type="button" class="quiet" onClick=${drop}>Write my own instead</button></p>`}
    <${EmptySlots} id=${id} box=${box} />
    <${Picker} id=${id} box=${box} />
    <div class="row">
      <textarea ref=${box} rows="1" maxlength=${LIMIT} class=${composing.offer ? "offered" : ""} aria-label="Your reply"
        aria-describedby=${composing.offer ? "offer" : undefined} placeholder=${HINTS[state]} value=${composing.text}
        enterkeyhint="send" onInput=${onInput} onKeyDown=${onKeyDown} onClick=${() => touched(id)} onBlur=${stopTyping}></textarea>
      <button class="primary send" disabled=${composing.sending || !composing.text.trim() || emptySlots(id).length > 0}>Send</button>
    </div>
    <p class="hint" aria-hidden="true">Enter sends, Shift+Enter makes a new line${composing.text.length > LIMIT - 500 ? ` · ${LIMIT - composing.text.length} left` : ""}</p>
  </form>`;
}
