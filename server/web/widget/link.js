// Speaks Porchlight's protocol: greets, keeps unsent messages until they are stored, mends gaps, remembers the token.

import { Connection } from "./connection.js";
import { Outbox, stored } from "./outbox.js";
import { trial, visit } from "./visit.js";

/** @typedef {import("./frames.js").CardAnswer} CardAnswer */
/** @typedef {import("./frames.js").SurveyAnswer} SurveyAnswer */

const KEY = "porchlight";
/** How long a `welcome` or an `ack` may take while the connection lives. */
const DUE_MS = 12_000;
/** How long marks of what has arrived and was seen are gathered. */
const MARKS_MS = 250;

/** @returns {{ token: string | null, conversation: string | null }} */
function recall() {
  if (trial()) return { token: null, conversation: null };
  const kept = stored((storage) => JSON.parse(storage.getItem(KEY) ?? "{}")) ?? {};
  const token = typeof kept.token === "string" ? kept.token : null;
  return { token, conversation: token && typeof kept.conversation === "string" ? kept.conversation : null };
}

export class Link {
  /**
   * @param {string} origin
   * @param {Record<string, string>} scope what the page is about
   * @param {(event: import("./frames.js").LinkEvent) => void} report
   */
  constructor(origin, scope, report) {
    this.report = report;
    this.scope = scope;
    this.line = new Connection(origin, {
      open: () => this.hello(),
      data: (data) => this.receive(data),
      doubt: (doubt) => this.report({ type: "status", status: doubt || !this.ready ? "offline" : "online" }),
      lost: (code, reason) => this.lost(code, reason),
    });
    this.outbox = new Outbox();
    const kept = recall();
    this.token = kept.token;
    /** @type {string | null} */
    this.conversation = kept.conversation;
    /** @type {string | null} id of the message that waits for its ack */
    this.inflight = null;
    /** @type {string | null} */
    this.epoch = null;
    this.lastSeq = 0;
    /** the newest seq when the server said welcome */
    this.head = 0;
    /** up to where everything was on the screen */
    this.seenSeq = 0;
    /** what this connection was told of that and of what has arrived */
    this.readSeq = this.deliveredSeq = 0;
    /** the seq after which a gap was asked for, so that a lasting gap cannot loop */
    this.mendedAt = -1;
    this.started = false;
    this.ready = false;
    this.asking = false;
    /** what a card has sent and nothing has answered yet; lives in the page only; @type {{ frame: CardAnswer, seq: number } | null} */
    this.owed = null;
    /** the visitor has ended the chat, and nothing says yet that the server knows */
    this.ending = false;
    /** what was said to a question and nothing has answered yet, the newest; lives in the page only; @type {SurveyAnswer | null} */
    this.rated = null;
    /** the panel was opened: from then on the server knows of the visit */
    this.opened = false;
    /** what is still to be told @type {import("./frames.js").Conversion[]} */
    this.conversions = [];
    this.typingAt = 0;
    /** how long the server that goes wants to be left alone */
    this.leaveMs = 0;
    /** why the server is about to close the connection */
    this.reason = "";
  }

  /** Connects for the first time. */
  start() {
    if (this.started) return;
    this.started = true;
    this.report({ type: "status", status: "connecting" });
    this.gather();
    addEventListener("storage", (event) => event.key === KEY && this.follow() && this.line.turn && this.again());
    this.line.start();
  }

  /** The panel is shown: connects for the first time, and tells the server of the visit. */
  open() {
    this.opened = true;
    this.start();
    if (this.ready) this.line.write(visit());
  }

  /**
   * Tells the server of a conversion now, or as soon as there is a connection.
   * @param {import("./frames.js").Conversion} conversion
   */
  convert({ kind, value, currency }) {
    // What is no conversion is not sent: its refusal would look like that of a message.
    if (typeof kind !== "string" || (value !== undefined && !Number.isSafeInteger(value))) return;
    this.conversions.push(value === undefined ? { kind } : { kind, value, currency: String(currency) });
    this.start();
    if (this.ready) this.tellConversions();
  }

  /** Tells what is still to be told. */
  tellConversions() {
    for (const conversion of this.conversions.splice(0)) this.line.write({ type: "converted", ...conversion });
  }

  /**
   * Queues a message; it stays in the outbox until the server has stored it.
   * @param {string} text
   * @returns {string | null} its id, null when too many wait
   */
  send(text) {
    const entry = this.outbox.add(text);
    if (!entry) return null;
    this.ending = false; // who writes on does not end it
    this.typing(false);
    this.pump();
    return entry.id;
  }

  /**
   * Takes a refused message out of the outbox, to be sent again under a new id.
   * @param {string} id
   * @returns {string | null} its text
   */
  takeBack(id) {
    return this.outbox.find(id)?.failed ? this.outbox.remove(id)?.text ?? null : null;
  }

  /**
   * Sends what was chosen or entered on a card now, or as soon as the connection is back.
   * @param {CardAnswer} frame
   */
  answer(frame) {
    this.owed = { frame, seq: this.lastSeq };
    this.settleOwed();
  }

  /** Sends what a card has said, unless something that has come since may be the answer. */
  settleOwed() {
    if (!this.owed || !this.ready || this.leaveMs) return;
    this.line.write(this.owed.frame);
    this.line.ask(); // nothing acknowledges it, so the connection is asked
  }

  /** Asks for a person now, or as soon as the connection is back. */
  askPerson() {
    this.asking = true;
    if (this.ready && !this.leaveMs) this.line.write({ type: "ask_person" });
  }

  /** Ends the chat now, or as soon as the connection is back. */
  resolve() {
    this.ending = true;
    this.finish();
  }

  /** The chat ends once all that was written before has been stored. */
  finish() {
    if (this.ending && this.ready && !this.leaveMs && !this.inflight && !this.outbox.next()) this.line.write({ type: "resolve" });
  }

  /**
   * Answers a question now, or as soon as the connection is back.
   * @param {SurveyAnswer} frame
   */
  rate(frame) {
    this.rated = frame;
    if (!this.ready || this.leaveMs) return;
    this.line.write(frame);
    this.line.ask();
  }

  /**
   * What the server asks now: nothing of it waits for an answer any more.
   * @param {import("./frames.js").Survey | null} survey
   */
  asked(survey) {
    const known = this.rated?.type === "survey_answer" && this.rated.comment === null && survey?.score === this.rated.score;
    if (known || survey?.id !== this.rated?.id) this.rated = null;
  }

  /** @param {boolean} on */
  typing(on) {
    const now = Date.now();
    if (!this.ready || !this.conversation || (on ? now - this.typingAt < 3_000 : !this.typingAt)) return;
    this.typingAt = on ? now : 0;
    this.line.write({ type: "typing", on });
    this.line.later("typing", 5_000, on ? () => this.typing(false) : undefined);
  }

  /** Everything that has arrived is on the screen. */
  read() {
    this.seenSeq = this.lastSeq;
    this.mark();
  }

  /** Tells the server, soon, what has arrived and what was seen. */
  mark() {
    if (!this.ready || !this.conversation || this.line.timers.has("mark")) return;
    this.line.later("mark", MARKS_MS, () => {
      if (this.seenSeq > this.readSeq) this.line.write({ type: "read", seq: (this.readSeq = this.seenSeq) });
      if (this.lastSeq <= Math.max(this.readSeq, this.deliveredSeq)) return;
      this.line.write({ type: "delivered", seq: (this.deliveredSeq = this.lastSeq) });
    });
  }

  /** Leaves this conversation behind and greets the server as a new visitor. */
  startNew() {
    this.asking = this.ending = false;
    this.rated = null;
    this.forget();
    this.again();
  }

  /** Begins a new connection at once. */
  again() {
    this.line.close();
    this.idle();
    this.leaveMs = 0;
    void this.line.connect();
  }

  /** Greets, at first or again to mend a gap. */
  hello() {
    this.idle();
    this.follow();
    this.gather();
    this.due();
    const { token, conversation, epoch, lastSeq, scope } = this;
    const outbox = this.outbox.entries.map((entry) => entry.id);
    this.line.write({ type: "hello", v: 1, token, conversation, epoch, last_seq: lastSeq, outbox, scope });
  }

  /** Takes in what an earlier page has left. */
  gather() {
    for (const entry of this.outbox.load()) this.report({ type: "unsent", entry });
  }

  /** The server owes an answer. */
  due() {
    this.line.later("due", DUE_MS, () => this.line.drop());
  }

  /** Nothing is sent until the server has said welcome. */
  idle() {
    this.ready = false;
    this.inflight = null;
    this.typingAt = this.readSeq = this.deliveredSeq = 0;
    this.reason = "";
  }

  /**
   * The connection is gone.
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

  /**
   * Drops what ties this browser to a conversation. What was written in it is never sent into another one by itself:
   * it waits for the visitor's wish.
   */
  forget() {
    this.idle();
    stored((storage) => recall().token === this.token && storage.removeItem(KEY));
    if (this.conversation) {
      for (const { id, failed } of this.outbox.entries) if (!failed) this.fail(id);
    }
    this.token = this.conversation = null;
    this.drop(false);
  }

  /** @param {boolean} restored the history is another one */
  drop(restored) {
    this.epoch = null;
    this.lastSeq = this.seenSeq = this.readSeq = this.deliveredSeq = 0;
    this.mendedAt = -1;
    this.owed = null;
    this.report({ type: "reset", restored });
  }

  /** Keeps the token and the conversation for the next page. */
  save() {
    if (trial()) return;
    stored((storage) => storage.setItem(KEY, JSON.stringify({ token: this.token, conversation: this.conversation })));
  }

  /**
   * Goes where another tab has gone: all tabs of a visitor share one conversation.
   * @returns {boolean} whether this tab has to greet the server again
   */
  follow() {
    const { token, conversation } = recall();
    const other = token !== this.token;
    if (!token || (!other && (!conversation || conversation === this.conversation))) return false;
    if (other || this.conversation) this.forget();
    this.token = token;
    this.conversation = conversation;
    this.epoch = null;
    return true;
  }

  /** @param {string} conversation */
  belong(conversation) {
    if (conversation === this.conversation) return;
    this.conversation = conversation;
    this.save();
  }

  /** Sends the oldest waiting message; one at a time keeps their order. */
  pump() {
    if (!this.ready || this.leaveMs || this.inflight || this.line.timers.has("pause")) return;
    const next = this.outbox.next();
    if (!next) return;
    this.inflight = next.id;
    this.line.write({ type: "send", client_msg_id: next.id, text: next.text });
    this.line.await();
    this.due();
  }

  /**
   * The server has stored this message.
   * @param {string | null} id
   */
  settle(id) {
    if (!id) return;
    if (this.outbox.remove(id)) this.report({ type: "sent", id });
    this.next(id);
  }

  /**
   * The server will not take this message.
   * @param {string} id
   */
  fail(id) {
    const entry = this.outbox.find(id);
    if (!entry) return;
    this.outbox.fail(entry);
    this.report({ type: "failed", id });
    this.next(id);
  }

  /** @param {string} id the message that no longer waits */
  next(id) {
    if (this.inflight !== id) return;
    this.inflight = null;
    this.line.later("due");
    this.pump();
    this.finish();
  }

  /** @param {string} data */
  receive(data) {
    /** @type {import("./frames.js").ServerFrame} */
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
      case "state":
        this.asking &&= frame.state === "bot";
        this.ending &&= frame.state !== "closed";
        return this.report(frame);
      case "survey": this.asked(frame.survey); return this.report(frame);
      case "draft": case "typing": case "presence": case "receipts": case "queue": return this.report(frame);
    }
  }

  /** @param {import("./frames.js").Welcome} frame */
  welcomed(frame) {
    const first = this.token === null;
    this.line.later("due");
    this.line.greeted();
    // Another tab, opened at the same time, has another token: the first one counts for both.
    if (first && !frame.conversation && this.follow()) return this.hello();
    if (frame.restored || frame.head < this.lastSeq) {
      this.drop(this.lastSeq > 0);
      if (!frame.restored) return this.hello();
    }
    this.token = frame.token;
    this.conversation = frame.conversation;
    this.epoch = frame.epoch;
    this.save();
    this.ready = true;
    this.head = frame.head;
    for (const id of Object.keys(frame.known ?? {})) this.settle(id);
    this.report({ type: "status", status: "online" });
    this.asked(frame.survey ?? null);
    this.report(frame);
    this.mark();
    this.resume(frame.state);
  }

  /**
   * Sends what waited for the connection.
   * @param {import("./frames.js").State} state
   */
  resume(state) {
    this.asking &&= state === "bot";
    if (this.opened) this.line.write(visit());
    this.tellConversions();
    if (this.asking) this.line.write({ type: "ask_person" });
    this.ending &&= state !== "closed";
    this.finish();
    if (this.rated) this.line.write(this.rated);
    if (this.lastSeq >= this.head) this.settleOwed(); // else the answer may be among what comes next
    this.pump();
  }

  /**
   * Shows each message once and in order; asks again when one is missing.
   * @param {import("./frames.js").Message} frame
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
    if (frame.from !== "visitor") this.owed = null;
    if (frame.seq === this.head) this.settleOwed();
    this.report(frame);
    this.mark();
  }

  /** @param {import("./frames.js").ErrorFrame} frame */
  refused(frame) {
    this.report(frame);
    const id = frame.client_msg_id ?? this.inflight;
    switch (frame.code) {
      case "too_fast": case "busy":
        this.inflight = null;
        this.line.later("due");
        return this.line.later("pause", Math.max(250, frame.retry_after_ms ?? 1_000), () => this.resume("bot"));
      case "bad_frame": case "empty": case "too_long": case "id_reused":
        if (id) this.fail(id);
        return;
      case "bad_visit": case "bad_conversion": case "unknown_survey": case "survey_over":
        this.rated = null;
        return;
      default:
        this.reason = frame.code; // the server closes the connection next
    }
  }

  /**
   * The server is about to stop: send nothing more, come back when it says.
   * @param {number} ms
   */
  leave(ms) {
    this.leaveMs = Math.max(500, ms || 0);
    this.line.later("leave", this.leaveMs, () => {
      this.leaveMs = 1;
      this.line.drop();
    });
  }
}
