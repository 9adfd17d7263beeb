// Speaks Porchlight's protocol: greets, keeps unsent messages until they are stored, mends gaps, remembers the token.

import { Socket } from "./socket.js";

/** @typedef {{ text: string, cite: number | null }} Piece */
/**
 * @typedef {{ number: number, doc: string, title: string, heading: string[], excerpt: string, mark: [number, number],
 *   url: string }} Citation the mark is a range in UTF-16 units of the excerpt
 */
/** @typedef {"bot" | "waiting" | "owner" | "closed"} State */
/**
 * @typedef {{ type: "welcome", token: string, conversation: string | null, epoch: string, head: number, state: State,
 *   generation: number, site: { name: string, greeting: string }, owner_online: boolean }} Welcome
 */
/**
 * @typedef {{ type: "message", conversation: string, seq: number, from: "visitor" | "bot" | "owner" | "system", at: number,
 *   text: string, pieces: Piece[], citations: Citation[], draft_id: string | null, client_msg_id: string | null,
 *   author: string | null }} Message
 */
/** @typedef {{ type: "ack", client_msg_id: string, conversation: string, seq: number, at: number }} Ack */
/**
 * @typedef {{ type: "draft", draft_id: string, phase: "start" | "token" | "piece" | "stop", token?: string, piece?: Piece | null,
 *   citations?: Citation[] | null }} Draft
 */
/** @typedef {{ type: "state", state: State, generation: number, author: string | null }} StateFrame */
/** @typedef {{ text: string, after_ms: number }} Preamble what fills a long wait, and from when on */
/** @typedef {{ type: "typing", from: "bot" | "owner", on: boolean, expires_ms: number, status?: Preamble }} Typing */
/** @typedef {{ type: "presence", owner_online: boolean }} Presence */
/**
 * @typedef {{ type: "error", code: string, message: string, retry_after_ms: number | null,
 *   client_msg_id: string | null }} ErrorFrame
 */
/** @typedef {{ type: "going_away", retry_after_ms: number }} GoingAway */
/** @typedef {Welcome | Message | Ack | Draft | StateFrame | Typing | Presence | ErrorFrame | GoingAway} ServerFrame */
/** @typedef {"connecting" | "online" | "offline" | "stopped"} Status */
/** @typedef {{ type: "status", status: Status } | { type: "sent" | "failed", id: string } | { type: "reset" }} Notice */
/** @typedef {Welcome | Message | Draft | StateFrame | Typing | Presence | ErrorFrame | Notice} LinkEvent */
/** @typedef {{ id: string, text: string, failed: boolean }} Unsent */

const KEY = "porchlight";

/** @returns {string} 128 random bits as 32 hex digits */
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {{ token: string | null, conversation: string | null }} */
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const token = typeof kept.token === "string" ? kept.token : null;
    return { token, conversation: token && typeof kept.conversation === "string" ? kept.conversation : null };
  } catch {
    return { token: null, conversation: null };
  }
}

export class Link {
  /**
   * @param {string} origin
   * @param {Record<string, string>} scope what the page is about
   * @param {(event: LinkEvent) => void} report
   */
  constructor(origin, scope, report) {
    this.report = report;
    this.scope = scope;
    this.socket = new Socket(`${origin.replace(/^http/, "ws")}/widget/ws`, {
      open: () => this.hello(),
      data: (data) => this.receive(data),
      lost: (code, reason) => this.lost(code, reason),
    });
    const kept = recall();
    this.token = kept.token;
    /** @type {string | null} */
    this.conversation = kept.conversation;
    /** @type {Unsent[]} */
    this.outbox = [];
    /** @type {string | null} id of the message that waits for its ack */
    this.inflight = null;
    /** @type {string | null} */
    this.epoch = null;
    this.lastSeq = 0;
    this.readSeq = 0;
    /** the seq after which a gap was already asked for, so that a lasting gap cannot loop */
    this.mendedAt = -1;
    this.started = false;
    this.ready = false;
    this.asking = false;
    this.typingAt = 0;
    /** how long the server wants to be left alone, once it has said that it goes */
    this.leaveMs = 0;
    /** why the server is about to close the socket */
    this.reason = "";
  }

  /** Connects for the first time. */
  start() {
    if (this.started) return;
    this.started = true;
    this.report({ type: "status", status: "connecting" });
    this.socket.start();
  }

  /**
   * Queues a message; it stays in the outbox until the server has stored it.
   * @param {string} text
   * @returns {string} its id
   */
  send(text) {
    const id = freshId();
    this.outbox.push({ id, text, failed: false });
    this.typing(false);
    this.pump();
    return id;
  }

  /**
   * Takes a refused message out of the outbox, to be sent again under a new id.
   * @param {string} id
   * @returns {string | null} its text
   */
  takeBack(id) {
    const found = this.outbox.find((entry) => entry.id === id && entry.failed);
    this.outbox = this.outbox.filter((entry) => entry !== found);
    return found ? found.text : null;
  }

  /** Asks for a person now, or as soon as the connection is back. */
  askPerson() {
    this.asking = true;
    if (this.ready && !this.leaveMs) this.socket.write({ type: "ask_person" });
  }

  /** @param {boolean} on */
  typing(on) {
    const now = Date.now();
    if (!this.ready || !this.conversation || (on ? now - this.typingAt < 3_000 : !this.typingAt)) return;
    this.typingAt = on ? now : 0;
    this.socket.write({ type: "typing", on });
    this.socket.later("typing", 5_000, on ? () => this.typing(false) : undefined);
  }

  /** Tells the server that everything shown so far was seen. */
  read() {
    if (!this.ready || !this.conversation || this.lastSeq <= this.readSeq) return;
    this.readSeq = this.lastSeq;
    this.socket.write({ type: "read", seq: this.lastSeq });
  }

  /** Leaves this conversation behind and greets the server as a new visitor. */
  startNew() {
    this.outbox = this.outbox.filter((entry) => !entry.failed);
    this.asking = false;
    this.forget();
    this.socket.close();
    this.idle();
    this.leaveMs = 0;
    this.socket.connect();
  }

  /** Greets the server, at first or again to mend a gap. */
  hello() {
    this.idle();
    this.socket.expect();
    const { token, conversation, lastSeq, scope } = this;
    this.socket.write({ type: "hello", v: 1, token, conversation, last_seq: lastSeq, scope });
  }

  /** Nothing is sent until the server has said welcome. */
  idle() {
    this.ready = false;
    this.inflight = null;
    this.typingAt = 0;
    this.reason = "";
  }

  /**
   * The socket is gone.
   * @param {number} code
   * @param {string} reason
   * @returns {number | null | undefined} how long to wait before the next
   */
  lost(code, reason) {
    const why = this.reason || reason;
    const unknown = why === "unknown_conversation" && this.conversation !== null;
    const wait = unknown ? 1 : this.leaveMs || undefined;
    const sent = this.inflight;
    this.idle();
    this.leaveMs = 0;
    if (code === 1009 && sent) this.fail(sent);
    if (unknown) this.forget();
    const over = why === "unsupported_version";
    this.report({ type: "status", status: over ? "stopped" : "offline" });
    return over ? null : wait;
  }

  /** Drops what ties this browser to a conversation, here and in the browser's storage. */
  forget() {
    this.token = this.conversation = this.epoch = null;
    this.lastSeq = this.readSeq = 0;
    this.mendedAt = -1;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // storage is switched off: nothing was kept
    }
    this.report({ type: "reset" });
  }

  /** Keeps the token and the conversation for the next page. */
  save() {
    try {
      localStorage.setItem(KEY, JSON.stringify({ token: this.token, conversation: this.conversation }));
    } catch {
      // storage is switched off: the conversation lasts as long as the page
    }
  }

  /** @param {string | null} conversation */
  belong(conversation) {
    if (!conversation || conversation === this.conversation) return;
    this.conversation = conversation;
    this.save();
  }

  /** Sends the oldest waiting message; one at a time keeps their order. */
  pump() {
    if (!this.ready || this.leaveMs || this.inflight || this.socket.timers.has("pause")) return;
    const next = this.outbox.find((entry) => !entry.failed);
    if (!next) return;
    this.inflight = next.id;
    this.socket.write({ type: "send", client_msg_id: next.id, text: next.text });
    this.socket.expect();
  }

  /**
   * The server has stored this message.
   * @param {string | null} id
   */
  settle(id) {
    if (!id || !this.outbox.some((entry) => entry.id === id)) return;
    this.outbox = this.outbox.filter((entry) => entry.id !== id);
    this.report({ type: "sent", id });
    this.next(id);
  }

  /**
   * The server will not take this message.
   * @param {string} id
   */
  fail(id) {
    const entry = this.outbox.find((candidate) => candidate.id === id);
    if (!entry) return;
    entry.failed = true;
    this.report({ type: "failed", id });
    this.next(id);
  }

  /** @param {string} id the message that no longer waits */
  next(id) {
    if (this.inflight !== id) return;
    this.inflight = null;
    this.socket.answered();
    this.pump();
  }

  /** @param {string} data */
  receive(data) {
    /** @type {ServerFrame} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    switch (frame.type) {
      case "welcome": return this.welcomed(frame);
      case "message": return this.accept(frame);
      case "ack": this.belong(frame.conversation); return this.settle(frame.client_msg_id);
      case "error": return this.refused(frame);
      case "going_away": return this.leave(frame.retry_after_ms);
      case "state": this.asking &&= frame.state === "bot"; return this.report(frame);
      case "draft": case "typing": case "presence": return this.report(frame);
    }
  }

  /** @param {Welcome} frame */
  welcomed(frame) {
    const other = frame.conversation !== this.conversation || (this.epoch !== null && frame.epoch !== this.epoch);
    const restored = this.lastSeq > 0 && (other || frame.head < this.lastSeq);
    this.token = frame.token;
    this.conversation = frame.conversation;
    this.epoch = frame.conversation && frame.epoch;
    this.save();
    if (restored) {
      this.lastSeq = this.readSeq = 0;
      this.report({ type: "reset" });
      return this.hello();
    }
    this.ready = true;
    this.socket.greeted();
    this.report({ type: "status", status: "online" });
    this.report(frame);
    this.resume(frame.state);
  }

  /**
   * Sends what waited for the connection.
   * @param {State} state
   */
  resume(state) {
    this.asking &&= state === "bot";
    if (this.asking) this.socket.write({ type: "ask_person" });
    this.pump();
  }

  /**
   * Shows each message once and in order; asks again when one is missing.
   * @param {Message} frame
   */
  accept(frame) {
    if (this.conversation && frame.conversation !== this.conversation) return;
    this.belong(frame.conversation);
    this.settle(frame.client_msg_id);
    if (frame.seq <= this.lastSeq) return;
    if (frame.seq > this.lastSeq + 1) {
      if (!this.ready) return; // the repeated hello is still under way and brings it again
      if (this.mendedAt !== this.lastSeq) {
        this.mendedAt = this.lastSeq;
        return this.hello();
      }
    }
    this.lastSeq = frame.seq;
    this.report(frame);
  }

  /** @param {ErrorFrame} frame */
  refused(frame) {
    this.report(frame);
    const id = frame.client_msg_id ?? this.inflight;
    switch (frame.code) {
      case "too_fast": case "busy":
        this.inflight = null;
        this.socket.answered();
        return this.socket.later("pause", Math.max(250, frame.retry_after_ms ?? 1_000), () => this.resume("bot"));
      case "bad_frame": case "empty": case "too_long": case "id_reused":
        if (id) this.fail(id);
        return;
      default:
        this.reason = frame.code; // the server closes the socket next
    }
  }

  /**
   * The server is about to stop: send nothing more, come back when it says.
   * @param {number} ms
   */
  leave(ms) {
    this.leaveMs = Math.max(500, ms || 0);
    this.socket.later("leave", this.leaveMs, () => {
      this.leaveMs = 1;
      this.socket.drop();
    });
  }
}
