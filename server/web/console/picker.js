// The composer's picker of saved replies, and the notice that keeps a reply with an empty slot from being sent.

import { touched } from "./actions.js";
import { about, intents, newest } from "./intents.js";
import { written } from "./offer.js";
import { emptySlots, filled, fitting, readSaved, saved } from "./saved.js";
import { changed, composingOf, store } from "./store.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").SavedReply} SavedReply */
/** @typedef {{ current: HTMLTextAreaElement | null }} Box */

/** Conversation whose picker is open, null for none. @type {{ id: string | null }} */
const picking = { id: null };

/** Opens the picker of a conversation. @param {string} id @returns {void} */
export function pick(id) {
  picking.id = id;
  if (!saved.read) void readSaved();
  changed();
}

/** Closes it; the owner goes on in the composer. @param {Box} box @returns {void} */
function leave(box) {
  picking.id = null;
  changed();
  box.current?.focus();
}

/** Selects the first empty slot, so that the next key fills it. @param {Box} box @param {string} name @returns {void} */
function select(box, name) {
  const at = box.current?.value.indexOf(`{${name}}`) ?? -1;
  box.current?.focus();
  if (at >= 0) box.current?.setSelectionRange(at, at + name.length + 2);
}

/**
 * Puts a reply into the composer, after what the owner wrote there or in place of an untouched suggestion; that takes the
 * conversation as writing does.
 * @param {string} id
 * @param {SavedReply} reply
 * @returns {void}
 */
function choose(id, reply) {
  const composing = composingOf(id);
  const { text, empty } = filled(reply.text, store.detail?.named ?? []);
  const own = composing.offer ? "" : composing.text.trimEnd();
  if (composing.offer) composing.suggestion = null;
  written(composing, own ? `${own}\n${text}` : text);
  composing.template = reply.id;
  composing.slots = [...new Set([...composing.slots, ...empty])];
  touched(id);
}

/** The tags of the newest message, the primary one first. @returns {string[]} */
function tags() {
  const reading = newest()?.reading;
  const all = [about(reading), ...(reading?.tags ?? [])].map((one) => one?.id);
  return all.filter((id) => id !== undefined);
}

/**
 * The button, and the list that it opens: type to search, arrow keys to choose, Enter to take, Escape to leave.
 * @param {{ id: string, box: Box }} props
 * @returns {VNode}
 */
export function Picker({ id, box }) {
  const open = picking.id === id;
  return html`<div class="picker">
    <button type="button" class="quiet saved-replies" aria-haspopup="listbox" aria-expanded=${open} onClick=${() => (open ? leave(box) : pick(id))}>Saved replies</button>
    ${open && html`<${Choices} id=${id} box=${box} />`}
  </div>`;
}

/** @param {{ id: string, box: Box }} props @returns {VNode} */
function Choices({ id, box }) {
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  /** @type {{ current: HTMLDivElement | null }} */
  const root = useRef(null);
  // Before it is painted: the next key is for the search.
  useLayoutEffect(() => root.current?.querySelector("input")?.focus(), []);
  const choices = fitting(words, tags());
  const current = Math.min(at, choices.length - 1);
  useEffect(() => root.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [current]);
  const take = (/** @type {SavedReply | undefined} */ reply) => {
    if (!reply) return;
    choose(id, reply);
    leave(box);
    const first = emptySlots(id)[0];
    if (first) setTimeout(() => select(box, first));
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: choices.length - 1 });
    const next = steps[event.key];
    if (next !== undefined && choices.length > 0) setAt((next + choices.length) % choices.length);
    else if (event.key === "Enter") take(choices[current]);
    else if (event.key === "Escape") leave(box);
    else return;
    event.preventDefault();
  };
  const onInput = (/** @type {{ target: HTMLInputElement }} */ event) => {
    setWords(event.target.value);
    setAt(0);
  };
  const onFocusOut = (/** @type {FocusEvent} */ event) => {
    // The button beside the list closes it by itself.
    if (event.relatedTarget instanceof Node && !root.current?.parentElement?.contains(event.relatedTarget)) {
      picking.id = null;
      changed();
    }
  };
  const label = (/** @type {SavedReply} */ one) => intents.prompts?.intents.find((intent) => intent.id === one.intent)?.label;
  return html`<div class="choices" ref=${root} onFocusOut=${onFocusOut}>
    <input role="combobox" aria-label="Search the saved replies" aria-expanded="true" aria-controls="saved-choices" aria-autocomplete="list"
      aria-activedescendant=${choices[current] && `saved-${choices[current].id}`} placeholder="Search" value=${words} onInput=${onInput} onKeyDown=${onKeyDown} />
    <ul id="saved-choices" role="listbox" aria-label="Saved replies">
      ${choices.map((one, place) => html`<li key=${one.id} id=${`saved-${one.id}`} role="option" aria-selected=${place === current}
        onMouseDown=${(/** @type {Event} */ event) => event.preventDefault()} onClick=${() => take(one)}>
        <strong>${one.title}</strong>${label(one) && html` <span class="tag">${label(one)}</span>`} <span class="last">${one.text}</span></li>`)}
    </ul>
    ${choices.length === 0 && html`<p class="note" role="status">${saved.replies.length === 0 ? "There is none yet." : "None fits."} <a href="#/saved">Write one</a></p>`}
  </div>`;
}

/**
 * Which slots still stand empty; a button selects each.
 * @param {{ id: string, box: Box }} props
 * @returns {VNode | null}
 */
export function EmptySlots({ id, box }) {
  const names = emptySlots(id);
  if (names.length === 0) return null;
  return html`<p class="slots" role="status">Still empty: fill or remove ${names.map((name) =>
    html`<button type="button" key=${name} onClick=${() => select(box, name)}><code>{${name}}</code></button> `)}before you send.</p>`;
}
