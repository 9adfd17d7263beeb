// The owner's WebSocket: a ticket, `hello`, `watch`, and a new connection whenever one is lost.

import { ApiError, ticket } from "./api.js";

/** @typedef {import("./types.js").Frame} Frame */

/**
 * @typedef {object} Handlers
 * @property {(frame: Frame) => void} frame every frame after `welcome`
 * @property {() => void} open after each `welcome` (`watch` is sent already)
 * @property {() => void} lost the connection is gone and is being made anew, or nothing is heard of it
 * @property {() => void} back something is heard of it again
 * @property {() => void} signedOut the session has ended
 */

const FIRST_MS = 500;
const LONGEST_MS = 20000;
const NEAR_MS = 4000;
const SOON = 12;
const HELLO_MS = 10000;
const STEADY_MS = 5000;
/** Silence before the server is asked, and again before it shows: 5 s in all while the owner looks. */
const BEAT_MS = 2500;
const HIDDEN_BEAT_MS = 20000;
const HIDDEN_ANSWER_MS = 10000;
/** A silent connection is kept a little longer: a busy server is not helped by a new one. */
const DOUBT_MS = 5000;
/** A command that did not reach the server is tried again at the next `welcome`, or after so long. */
const AGAIN_MS = 2000;

const looking = () => document.visibilityState === "visible";

/** One connection at a time, made anew until `stop`. */
export class Live {
  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {string | null} */
    this.watched = null;
    this.welcomed = false;
    this.running = false;
    this.attempt = 0;
    this.wait = 0;
    /** the server asked for the wait */
    this.asked = false;
    this.timer = 0;
    /** the next sign of life, asked for or awaited */
    this.pulse = 0;
    this.steady = 0;
    this.doubted = false;
    /** those who wait for a connection @type {Set<() => void>} */
    this.waiting = new Set();
    this.check = () => this.hurry();
    this.seen = () => looking() && this.hurry();
  }

  /** Starts, if it does not run. @returns {void} */
  start() {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    addEventListener("online", this.check);
    addEventListener("pageshow", this.check);
    document.addEventListener("visibilitychange", this.seen);
    void this.connect();
  }

  /** Ends the connection for good. @returns {void} */
  stop() {
    this.running = false;
    removeEventListener("online", this.check);
    removeEventListener("pageshow", this.check);
    document.removeEventListener("visibilitychange", this.seen);
    clearTimeout(this.timer);
    this.timer = 0;
    this.drop();
    this.wake();
  }

  /** Waits for the next try of a command that has not reached the server. @returns {Promise<void>} */
  retry() {
    return new Promise((resolve) => {
      this.waiting.add(resolve);
      if (this.welcomed) setTimeout(resolve, AGAIN_MS);
    });
  }

  /** @returns {void} */
  wake() {
    for (const go of this.waiting) go();
    this.waiting.clear();
  }

  /**
   * Asks for the frames of one conversation, and says that its messages are on the screen.
   * @param {string | null} conversation
   * @param {number | null} [last] newest seq that is on the screen
   * @returns {void}
   */
  watch(conversation, last = null) {
    this.watched = conversation;
    this.send({ type: "watch", conversation, last_seq: last });
  }

  /**
   * @param {string} conversation
   * @param {boolean} on
   * @returns {void}
   */
  typing(conversation, on) {
    this.send({ type: "typing", conversation, on });
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.welcomed;
  }

  /**
   * @param {object} frame
   * @returns {void}
   */
  send(frame) {
    if (this.welcomed && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** @returns {Promise<void>} */
  async connect() {
    /** @type {string} */
    let pass;
    try {
      pass = (await ticket()).ticket;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.handlers.signedOut();
      else this.again();
      return;
    }
    if (!this.running) return;
    const address = new URL("/console/ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.socket = socket;
    const late = setTimeout(() => socket.close(), HELLO_MS);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", v: 1, ticket: pass }));
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(event.data, late);
    };
    socket.onclose = () => {
      clearTimeout(late);
      if (this.socket === socket) this.again();
    };
  }

  /**
   * @param {unknown} data
   * @param {number} late the timer that gives up on `welcome`
   * @returns {void}
   */
  receive(data, late) {
    /** @type {Frame} */
    let frame;
    try {
      frame = JSON.parse(String(data));
    } catch {
      return;
    }
    this.alive();
    if (frame.type === "welcome") {
      clearTimeout(late);
      this.welcomed = true;
      this.steady = setTimeout(() => { this.attempt = 0; }, STEADY_MS);
      this.alive();
      this.watch(this.watched);
      this.handlers.open();
      this.wake();
    } else if (frame.type === "pong") {
      return;
    } else if (frame.type === "going_away") {
      this.wait = frame.retry_after_ms ?? 0;
      this.again();
    } else {
      this.handlers.frame(frame);
    }
  }

  /** Any frame is a sign of life; after a while without one the server is asked. @returns {void} */
  alive() {
    if (!this.welcomed) return;
    if (this.doubted) this.handlers.back();
    this.doubted = false;
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => this.ask(), looking() ? BEAT_MS : HIDDEN_BEAT_MS);
  }

  /** Asks for a sign of life; without an answer the connection is doubted, then given up. @returns {void} */
  ask() {
    this.send({ type: "ping" });
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => {
      this.doubted = true;
      this.handlers.lost();
      this.pulse = setTimeout(() => this.again(), DOUBT_MS);
    }, looking() ? BEAT_MS : HIDDEN_ANSWER_MS);
  }

  /** Lets go of the socket without a new one. @returns {void} */
  drop() {
    const socket = this.socket;
    this.socket = null;
    this.welcomed = this.doubted = false;
    clearTimeout(this.pulse);
    clearTimeout(this.steady);
    socket?.close();
  }

  /** Connects anew after a while: full jitter, at least what the server asked for. @returns {void} */
  again() {
    this.drop();
    if (!this.running) return;
    this.handlers.lost();
    // Short waits for as long as a restart takes, then longer ones.
    const soon = this.attempt < SOON;
    const most = Math.min(soon ? NEAR_MS : LONGEST_MS, FIRST_MS * 2 ** Math.min(soon ? this.attempt : this.attempt - SOON + 4, 10));
    this.asked = this.wait > 0;
    const delay = this.wait + Math.random() * most;
    this.wait = 0;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      void this.connect();
    }, delay);
  }

  /** The owner looks, or the network is back: no need to wait on. @returns {void} */
  hurry() {
    if (this.welcomed && !this.doubted) this.ask();
    if (!this.running || !this.timer || this.asked) return;
    clearTimeout(this.timer);
    this.timer = 0;
    void this.connect();
  }
}
