// Own messages that are not stored yet, kept in the browser so that neither a reload nor a closed tab loses one.

/** @typedef {import("./frames.js").Unsent} Unsent */

// Each message has a key of its own: two tabs never write over each other.
const PREFIX = "porchlight.unsent.";
const MOST = 100;
const MOST_TEXT = 4_000;

/** @returns {string} 128 random bits as 32 hex digits */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

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
 * @param {string} key
 * @param {string | null} value
 * @returns {Unsent | null}
 */
function parse(key, value) {
  const id = key.slice(PREFIX.length);
  try {
    const { text, order, failed } = JSON.parse(value ?? "");
    const good = /^[0-9a-f]{32}$/.test(id) && typeof text === "string" && text.length <= MOST_TEXT && Number.isFinite(order);
    return good ? { id, text, order, failed: failed === true } : null;
  } catch {
    return null;
  }
}

export class Outbox {
  constructor() {
    /** @type {Unsent[]} in the order they were written */
    this.entries = [];
  }

  /** @returns {Unsent[]} what another tab or an earlier page has left here, taken in now */
  load() {
    const found = stored((storage) => Object.keys(storage)
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => parse(key, storage.getItem(key)))) ?? [];
    const fresh = [];
    for (const entry of found) {
      if (!entry || this.find(entry.id) || this.entries.length >= MOST) continue;
      this.entries.push(entry);
      fresh.push(entry);
    }
    this.entries.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
    return fresh.sort((a, b) => a.order - b.order);
  }

  /**
   * @param {string} text
   * @returns {Unsent | null} null when too many wait already
   */
  add(text) {
    if (this.entries.length >= MOST) return null;
    const order = Math.max(Date.now(), (this.entries.at(-1)?.order ?? 0) + 1);
    const entry = { id: freshId(), text, order, failed: false };
    this.entries.push(entry);
    this.keep(entry);
    return entry;
  }

  /** @param {Unsent} entry */
  keep({ id, text, order, failed }) {
    stored((storage) => storage.setItem(PREFIX + id, JSON.stringify({ text, order, failed })));
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
