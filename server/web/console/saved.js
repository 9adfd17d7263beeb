// Saved replies as the console knows them: the list, the one that is being edited, and how a conversation fills their slots.

import * as api from "./api.js";
import { changed, store } from "./store.js";
import { doOne } from "./work.js";

/** @typedef {import("./types.js").SavedReply} SavedReply */
/** @typedef {import("./types.js").Named} Named */

/** @typedef {{ id: string, title: string, text: string, intent: string }} Draft a saved reply that is being written; its id is empty while it is new */
/** @typedef {import("./work.js").Page & { read: boolean, replies: SavedReply[], draft: Draft | null, sure: string }} Saved */

/** What may stand between braces. */
export const SLOTS = ["name", "email", "phone", "order_id", "plan", "sku", "amount", "date"];

const SLOT = /\{([a-z][a-z_]{0,31})\}/g;

/** @returns {Saved} */
function empty() {
  return { open: false, busy: "", said: "", problem: "", read: false, replies: [], draft: null, sure: "" };
}

/** @type {Saved} */
export const saved = empty();

/** Forgets everything of the owner who has signed out. @returns {void} */
export const forgetSaved = () => {
  Object.assign(saved, empty());
};

/** Shows the page or leaves it. @param {boolean} open @returns {void} */
export function openSaved(open) {
  if (saved.open === open) return;
  saved.open = open;
  if (open) void readSaved();
}

/** @returns {Promise<boolean>} */
export const readSaved = () => doOne(saved, "read", async () => {
  saved.replies = (await api.savedReplies()).replies;
  saved.read = true;
});

/** Begins to write a reply. @param {SavedReply | null} reply the one to edit, null for a new one @returns {void} */
export function writeReply(reply) {
  const { id, title, text, intent } = reply ?? { id: "", title: "", text: "", intent: null };
  Object.assign(saved, { draft: { id, title, text, intent: intent ?? "" }, problem: "", sure: "" });
  changed();
}

/** @param {Partial<Draft>} change @returns {void} */
export function touchReply(change) {
  if (saved.draft) Object.assign(saved.draft, change);
  changed();
}

/** @returns {void} */
export function dropReply() {
  saved.draft = null;
  changed();
}

/** @returns {Promise<boolean>} */
export const keepReply = () => doOne(saved, "keep", async () => {
  const draft = saved.draft;
  if (!draft) return;
  const body = { title: draft.title, text: draft.text, intent: draft.intent || null };
  await (draft.id ? api.editReply(draft.id, body) : api.addReply(body));
  saved.replies = (await api.savedReplies()).replies;
  Object.assign(saved, { draft: null, said: `“${draft.title}” is saved.` });
});

/** Deletes a reply at the second click. @param {SavedReply} reply @returns {Promise<boolean>} */
export const deleteReply = (reply) => doOne(saved, "delete", async () => {
  if (saved.sure !== reply.id) {
    saved.sure = reply.id;
    return;
  }
  await api.deleteReply(reply.id);
  saved.replies = saved.replies.filter((one) => one.id !== reply.id);
  Object.assign(saved, { sure: "", said: `“${reply.title}” is deleted.` });
});

/**
 * The replies that fit the words, those of the conversation's tags first, then those for every tag.
 * @param {string} words
 * @param {string[]} tags ids of intents, the primary one first
 * @returns {SavedReply[]}
 */
export function fitting(words, tags) {
  const rank = (/** @type {SavedReply} */ one) => {
    const at = one.intent === null ? -1 : tags.indexOf(one.intent);
    if (at >= 0) return at;
    return one.intent === null ? tags.length : tags.length + 1;
  };
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {SavedReply} */ one) => {
    const all = `${one.title} ${one.text}`.toLowerCase();
    return parts.every((part) => all.includes(part));
  };
  return saved.replies.filter(fits).sort((a, b) => rank(a) - rank(b) || a.title.localeCompare(b.title));
}

/**
 * A reply's text with its slots filled from what the visitor has named, the newest of each kind; the names of the others.
 * @param {string} text
 * @param {Named[]} named the newest first
 * @returns {{ text: string, empty: string[] }}
 */
export function filled(text, named) {
  /** @type {Set<string>} */
  const missing = new Set();
  const full = text.replace(SLOT, (slot, name) => {
    const one = named.find((entity) => entity.kind === name);
    if (!one) missing.add(name);
    if (!one) return slot;
    return ["email", "plan", "sku"].includes(name) ? one.value : one.text;
  });
  return { text: full, empty: [...missing] };
}

/**
 * The slots of chosen replies that still stand empty in the composer.
 * @param {string} id the conversation
 * @returns {string[]}
 */
export function emptySlots(id) {
  const composing = store.composing.get(id);
  return (composing?.slots ?? []).filter((name) => composing?.text.includes(`{${name}}`));
}
