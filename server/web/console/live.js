// The owner's WebSocket: a ticket, `hello`, `watch`, and a new connection whenever one is lost.

import { ApiError, ticket } from "./api.js";

/** @typedef {import("./types.js").Frame} Frame */

/**
 * @typedef {object} Handlers
 * @property {(frame: Frame) => void} frame every frame after `welcome`
 * @property {() => void} open after each `welcome` (`watch` is sent already)
 * @property {() => void} lost the connection is gone and is being made anew
 * @property {() => void} signedOut the session has ended
 */

const FIRST_MS = 500;
const LONGEST_MS = 30000;
const HELLO_MS = 10000;

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
    this.timer = 0;
    this.online = () => this.hurry();
  }

  /** Starts, if it does not run. @returns {void} */
  start() {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    addEventListener("online", this.online);
    void this.connect();
  }

  /** Ends the connection for good. @returns {void} */
  stop() {
    this.running = false;
    removeEventListener("online", this.online);
    clearTimeout(this.timer);
    this.drop();
  }

  /**
   * Asks for the frames of one conversation.
   * @param {string | null} conversation
   * @returns {void}
   */
  watch(conversation) {
    this.watched = conversation;
    this.send({ type: "watch", conversation });
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
    if (frame.type === "welcome") {
      clearTimeout(late);
      this.welcomed = true;
      this.attempt = 0;
      this.send({ type: "watch", conversation: this.watched });
      this.handlers.open();
    } else if (frame.type === "going_away") {
      this.wait = frame.retry_after_ms ?? 0;
      this.again();
    } else {
      this.handlers.frame(frame);
    }
  }

  /** Lets go of the socket without a new one. @returns {void} */
  drop() {
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    socket?.close();
  }

  /** Connects anew after a while: full jitter, at least what the server asked for. @returns {void} */
  again() {
    this.drop();
    if (!this.running) return;
    this.handlers.lost();
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.attempt, 10));
    const delay = this.wait + Math.random() * most;
    this.wait = 0;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      void this.connect();
    }, delay);
  }

  /** The network is back: no need to wait on. @returns {void} */
  hurry() {
    if (!this.running || !this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    void this.connect();
  }
}
