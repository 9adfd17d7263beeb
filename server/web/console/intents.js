// The intents as the console knows them: what a message may be about, and what the owner has taught them.

import * as api from "./api.js";
import { changed, store } from "./store.js";
import { doOne } from "./work.js";

/** @typedef {import("./types.js").Example} Example */
/** @typedef {import("./types.js").Intent} Intent */
/** @typedef {import("./types.js").Prompts} Prompts */
/** @typedef {import("./types.js").Reading} Reading */

/** @typedef {import("./work.js").Page & { prompts: Prompts | null, examples: Example[] }} Intents */

/** @returns {Intents} */
function empty() {
  return { open: false, busy: "", said: "", problem: "", prompts: null, examples: [] };
}

/** @type {Intents} */
export const intents = empty();

/** Forgets everything of the owner who has signed out. @returns {void} */
export const forgetIntents = () => {
  Object.assign(intents, empty());
};

/** Shows the page or leaves it. @param {boolean} open @returns {void} */
export function openIntents(open) {
  if (intents.open === open) return;
  intents.open = open;
  if (open) void readIntents();
}

/** Reads the intents and the examples. @returns {Promise<boolean>} */
export const readIntents = () => doOne(intents, "read", fill);

/** @returns {Promise<void>} */
async function fill() {
  Object.assign(intents, await api.intents());
}

/** The server says how the prompts stand. @param {Prompts} prompts @returns {void} */
export function heardPrompts(prompts) {
  intents.prompts = prompts;
  if (intents.open) fill().then(changed, () => {}); // The next frame or click reads again.
}

/**
 * What a visitor's message is about: the owner's word, else the primary tag.
 * @param {Reading | undefined} reading
 * @returns {Intent | null}
 */
export const about = (reading) => reading?.corrected ?? reading?.tags[0] ?? null;

/**
 * The newest message of the visitor in the open conversation, with what it was read as.
 * @returns {{ seq: number, reading: Reading | undefined } | null}
 */
export function newest() {
  const seq = store.detail?.messages.findLast((one) => one.from === "visitor")?.seq;
  return seq === undefined ? null : { seq, reading: store.detail?.readings.find((one) => one.seq === seq) };
}

/**
 * The owner says what a message is about; the server's frame follows.
 * @param {string} id the conversation
 * @param {number} seq
 * @param {Intent} intent
 * @returns {Promise<void>}
 */
export async function correct(id, seq, intent) {
  const done = await doOne(intents, "correct", async () => {
    await api.correctTag(id, seq, intent.id);
  });
  store.problem = done ? "" : intents.problem;
  if (done) store.announcement = `This is about ${intent.label} now. Later messages like it are read so too.`;
  changed();
}

/** Takes an example back. @param {Example} example @returns {Promise<boolean>} */
export const forgetExample = (example) => doOne(intents, example.id, async () => {
  await api.forgetExample(example.id);
  await fill();
  intents.said = "The example is removed.";
});
