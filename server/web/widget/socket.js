// One WebSocket that comes back by itself: full-jitter waits, named timers, a limit on waiting for an answer.

const BASE_MS = 500;
const CAP_MS = 30_000;
const ANSWER_MS = 12_000;
const STEADY_MS = 5_000;

/**
 * @typedef {object} Handlers
 * @property {() => void} open
 * @property {(data: string) => void} data
 * @property {(code: number, reason: string) => number | null | undefined} lost says how long to wait: null for ever, undefined for the usual
 */

export class Socket {
  /**
   * @param {string} url
   * @param {Handlers} on
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    /** @type {WebSocket | null} */
    this.live = null;
    this.attempt = 0;
    /** @type {Map<string, number>} */
    this.timers = new Map();
  }

  /** Connects, and from then on follows what the browser knows of its network. */
  start() {
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.live && this.drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
    this.connect();
  }

  /**
   * Runs `then` after `ms`, replacing the timer of that name; without `then` only clears it.
   * @param {string} name
   * @param {number} [ms]
   * @param {() => void} [then]
   */
  later(name, ms, then) {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
    if (!then) return;
    this.timers.set(name, window.setTimeout(() => {
      this.timers.delete(name);
      then();
    }, ms));
  }

  /** Opens a socket unless there is one. */
  connect() {
    this.later("retry");
    if (this.live) return;
    try {
      const socket = new WebSocket(this.url);
      this.live = socket;
      socket.onopen = () => this.on.open();
      socket.onmessage = (event) => this.on.data(String(event.data));
      socket.onclose = (event) => this.drop(event.code, event.reason);
      this.expect();
    } catch {
      this.drop(); // the page's own policy refuses it
    }
  }

  /** Connects at once when a wait was under way. */
  hurry() {
    if (this.timers.has("retry")) this.connect();
  }

  /** Gives the socket up unless `answered` is called in time. */
  expect() {
    this.later("answer", ANSWER_MS, () => this.drop());
  }

  /** @returns {void} */
  answered() {
    this.later("answer");
  }

  /** The server has greeted; a connection that lasts makes the next waits short again. */
  greeted() {
    this.answered();
    this.later("steady", STEADY_MS, () => { this.attempt = 0; });
  }

  /** @param {Record<string, unknown>} frame */
  write(frame) {
    if (this.live?.readyState === WebSocket.OPEN) this.live.send(JSON.stringify(frame));
  }

  /** Lets go of the socket without waiting for its close. */
  close() {
    const socket = this.live;
    this.live = null;
    for (const name of [...this.timers.keys()]) this.later(name);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * Gives the socket up and comes back after a while.
   * @param {number} [code]
   * @param {string} [reason]
   */
  drop(code = 0, reason = "") {
    this.close();
    const wait = this.on.lost(code, reason);
    if (wait === null) return;
    const cap = Math.min(CAP_MS, BASE_MS * 2 ** this.attempt);
    this.attempt = Math.min(this.attempt + 1, 16);
    this.later("retry", wait ?? Math.random() * cap, () => this.connect());
  }
}
