// The mark above a composer that a suggestion stands in: how sure it is, what it cites, and what can be done with it.

import { discard, sendComposed } from "./actions.js";
import { Confidence, Sources } from "./draft.js";
import { clear } from "./offer.js";
import { changed, composingOf } from "./store.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/**
 * Throws the offered suggestion away and leaves the box empty.
 * @param {string} id
 * @returns {boolean} whether there was one
 */
export function discardOffer(id) {
  const composing = composingOf(id);
  const offered = composing.offer;
  if (!offered) return false;
  clear(composing);
  changed();
  void discard(id, offered);
  return true;
}

/**
 * @param {{ id: string }} props
 * @returns {VNode | null}
 */
export function Copilot({ id }) {
  const { offer, sending } = composingOf(id);
  if (!offer) return null;
  const onDiscard = () => {
    discardOffer(id);
    const box = /** @type {HTMLTextAreaElement | null} */ (document.querySelector(".composer textarea"));
    box?.focus();
  };
  return html`<section class="suggestion offer" aria-label="Suggested reply" data-suggestion=${offer.id}>
    <header><h3 id="offer">Suggested reply</h3><${Confidence} value=${offer.confidence} /></header>
    <${Sources} citations=${offer.citations} />
    <div class="buttons">
      <button type="button" class="primary accept" disabled=${sending} onClick=${() => void sendComposed(id)}>Send as it is</button>
      <button type="button" class="quiet discard" disabled=${sending} onClick=${onDiscard}>Discard <kbd>Esc</kbd></button>
    </div>
  </section>`;
}
