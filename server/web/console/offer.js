// When a suggestion stands in the composer: only where nothing was written, and no longer than it fits.

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Suggestion} Suggestion */
/** @typedef {import("./store.js").Composing} Composing */

/**
 * Puts the open suggestion into the box of an owner who holds the conversation, if the box is empty and untouched; takes out one
 * that is open no more. Words of the owner are never changed.
 * @param {Composing} composing
 * @param {Suggestion | null} suggestion the open one
 * @param {State | undefined} state
 * @returns {boolean} whether it stands in the box since now
 */
export function offer(composing, suggestion, state) {
  if (composing.suggestion && composing.suggestion !== suggestion?.id) {
    if (composing.offer) composing.text = "";
    composing.offer = composing.suggestion = null;
  }
  const free = composing.text === "" && !composing.touched && !composing.sending;
  if (!suggestion || !free || state !== "owner") return false;
  Object.assign(composing, { text: suggestion.text, suggestion: suggestion.id, offer: suggestion });
  return true;
}

/**
 * The owner has written: an offer with other words is an edited suggestion, and an empty box the owner's own.
 * @param {Composing} composing
 * @param {string} text
 * @returns {void}
 */
export function written(composing, text) {
  composing.text = text;
  composing.touched = true;
  if (composing.offer?.text !== text) composing.offer = null;
  if (text === "") composing.suggestion = composing.template = null;
}

/**
 * Empties the box for what comes next.
 * @param {Composing} composing
 * @returns {void}
 */
export function clear(composing) {
  Object.assign(composing, { text: "", suggestion: null, offer: null, touched: false, template: null, slots: [] });
}
