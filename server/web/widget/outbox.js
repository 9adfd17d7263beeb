// Own messages that are not stored yet, kept in the browser so that neither a reload nor a closed tab loses one.

/** @typedef {import("./frames.js").Unsent} Unsent */

// Each message has a key of its own: two tabs never write over each other.
const PREFIX = "porchlight.unsent.";
const MOST = 100;

/**
 * Where the browser's storage is switched off or full, things last as long as the page.
 * @template T
 * @param {(storage: Storage) => T} act
 * @returns {T | null}
 */
export function stored(act) {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}

/**
 * @param {string | null} kept
 * @returns {Unsent[]} one or none
 */
function parse(kept) {
  try {
    const { id, text, order, failed } = JSON.parse(kept ?? "");
    return /^[0-9a-f]{32}$/.test(id) && typeof text === "string" && order > 0 ? [{ id, text, order, failed }] : [];
  } catch {
    return [];
  }
}

export class Outbox {
  constructor() {
    /** @type {Unsent[]} in the order they were written */
    this.entries = [];
  }

  /** @returns {Unsent[]} what another tab or an earlier page has left here, taken in now */
  load() {
    const keys = stored((storage) => Object.keys(storage)) ?? [];
    const fresh = keys.filter((key) => key.startsWith(PREFIX) && !this.find(key.slice(PREFIX.length)))
      .flatMap((key) => parse(stored((storage) => storage.getItem(key))));
    const byOrder = (/** @type {Unsent} */ a, /** @type {Unsent} */ b) => a.order - b.order;
    fresh.sort(byOrder).splice(MOST - this.entries.length);
    this.entries = this.entries.concat(fresh).sort(byOrder);
    return fresh;
  }

  /**
   * @param {string} text
   * @returns {Unsent | null} null when too many wait already
   */
  add(text) {
    if (this.entries.length >= MOST) return null;
    const order = Math.max(Date.now(), (this.entries.at(-1)?.order ?? 0) + 1);
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const entry = { id, text, order, failed: false };
    this.entries.push(entry);
    this.keep(entry);
    return entry;
  }

  /** @param {Unsent} entry */
  keep(entry) {
    stored((storage) => storage.setItem(PREFIX + entry.id, JSON.stringify(entry)));
  }

  /**
   * @param {string} id
   * @returns {Unsent | undefined}
   */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** @returns {Unsent | undefined} the next to be sent */
  next() {
    return this.entries.find((entry) => !entry.failed);
  }

  /**
   * The message is stored, or taken back.
   * @param {string} id
   * @returns {Unsent | undefined} it, if it was here
   */
  remove(id) {
    const entry = this.find(id);
    this.entries = this.entries.filter((other) => other !== entry);
    stored((storage) => storage.removeItem(PREFIX + id));
    return entry;
  }

  /** @param {Unsent} entry waits from now on for the visitor's wish */
  fail(entry) {
    entry.failed = true;
    this.keep(entry);
  }
}
