// PROTOCOL.md's server in small, over a network that cuts, delays, repeats and swallows.
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";

const KNOWN = ["hello", "send", "typing", "delivered", "read", "ping", "ask_person", "resolve", "survey_answer", "survey_decline", "confirm", "code", "opened", "converted"];

/** One connection or session, and the frames on their way to the page. */
class Line {
  /** @param {Server} server @param {any} tab @param {{ frame: (text: string) => void, end: (code: number, reason: string) => void }} page */
  constructor(server, tab, page) {
    Object.assign(this, { server, tab, page, open: true, mute: false, visitor: null, busyUntil: 0, arriveAt: 0 });
    server.lines.add(this);
  }

  /** A frame reaches the page after a while, in order. @param {object} frame */
  out(frame) {
    if (!this.open || this.mute) return;
    this.later(() => this.page.frame(JSON.stringify(frame)));
    if (this.server.repeats && this.server.world.pick(20) === 0) this.later(() => this.page.frame(JSON.stringify(frame)));
  }

  /** @param {() => void} act */
  later(act) {
    const { world } = this.server;
    this.arriveAt = Math.max(this.arriveAt, world.now + 2 + world.pick(40));
    world.after(this.arriveAt - world.now, this.tab, () => !this.mute && !this.left && act());
  }

  /** A frame of the page reaches the server after a while, in order, even when the page has closed meanwhile. @param {object} frame */
  in(frame) {
    if (this.mute) return;
    const { world } = this.server;
    this.busyUntil = Math.max(this.busyUntil, world.now + 2 + world.pick(40));
    world.after(this.busyUntil - world.now, null, () => this.open && !this.mute && this.server.frame(this, frame));
  }

  /** The server's side ends. @param {number} [code] @param {string} [reason] */
  end(code = 1006, reason = "") {
    if (!this.open) return;
    this.later(() => this.page.end(code, reason));
    this.open = false;
    this.server.lines.delete(this);
  }

  /** The page's side has ended: the server hears of it later. */
  leave() {
    this.left = true;
    const { world } = this.server;
    world.after(60, null, () => {
      this.open = false;
      this.server.lines.delete(this);
    });
  }
}

export class Server {
  /** @param {import("./world.mjs").World} world */
  constructor(world) {
    this.world = world;
    this.down = false;
    this.repeats = false;
    this.skips = false;
    /** what does not get through: "open", "refused" or "silent" each */
    this.ways = { ws: "open", stream: "open", poll: "open" };
    /** requests and sockets, by way */
    this.asked = { ws: 0, stream: 0, poll: 0 };
    /** @type {Set<Line>} */
    this.lines = new Set();
    this.sessions = new Map();
    this.conversations = new Map();
    this.heard = [];
    this.names = 0;
  }

  /** @param {number} digits */
  name(digits) {
    this.names += 1;
    return this.names.toString(16).padStart(digits, "0");
  }

  /** @param {string} token */
  byToken(token) {
    return [...this.conversations.values()].find((one) => one.token === token);
  }

  /** @param {Line} line @param {any} frame */
  frame(line, frame) {
    assert.ok(KNOWN.includes(frame.type), `an unknown frame: ${frame.type}`);
    this.heard.push({ at: this.world.now, ...frame });
    if (frame.type === "hello") return this.hello(line, frame);
    assert.ok(line.visitor, `${frame.type} came before hello`);
    if (frame.type === "ping") line.out({ type: "pong" });
    if (frame.type === "send") this.send(line, frame);
    if (frame.type === "confirm" || frame.type === "code") this.append(this.begun(line), { from: "bot", text: `heard ${frame.code ?? frame.yes}` });
    if (frame.type === "ask_person") this.append(this.begun(line), { from: "system", text: "You asked for a person." });
  }

  /** @param {Line} line @param {any} frame */
  hello(line, { v, token, conversation, epoch, last_seq, outbox = [] }) {
    assert.equal(v, 1);
    assert.ok(outbox.length <= 100);
    const found = conversation ? this.conversations.get(conversation) : token && this.byToken(token);
    if (conversation && found?.token !== token) {
      line.out({ type: "error", code: "unknown_conversation", message: "There is no such conversation.", retry_after_ms: null, client_msg_id: null });
      return line.end(4000, "unknown_conversation");
    }
    const secret = token ?? this.name(64);
    line.visitor = { token: secret, conversation: found || null, epoch: found?.epoch ?? this.name(32) };
    const restored = Boolean(found && epoch && epoch !== found.epoch);
    const known = Object.fromEntries(outbox.flatMap((id) => {
      const stored = found?.messages.find((one) => one.client_msg_id === id);
      return stored ? [[id, stored.seq]] : [];
    }));
    line.out({ type: "welcome", v: 1, token: secret, conversation: found?.id ?? null, epoch: line.visitor.epoch, head: found?.messages.length ?? 0,
      state: "bot", generation: 0, author: null, site: { name: "House", greeting: "Hello" }, owner_online: false, restored, known, owner_read: 0, queue: null });
    for (const message of found?.messages.slice(restored ? 0 : last_seq) ?? []) line.out(message);
  }

  /** @param {Line} line */
  begun(line) {
    const { visitor } = line;
    visitor.conversation ??= this.byToken(visitor.token) ?? null;
    if (!visitor.conversation) {
      visitor.conversation = { id: this.name(32), token: visitor.token, epoch: visitor.epoch, messages: [] };
      this.conversations.set(visitor.conversation.id, visitor.conversation);
    }
    return visitor.conversation;
  }

  /** @param {Line} line @param {any} frame */
  send(line, { client_msg_id, text }) {
    const complain = (code, retry_after_ms) => line.out({ type: "error", code, message: code, retry_after_ms, client_msg_id });
    if (text === "refuse me") return complain("too_long", null);
    if (this.busy && this.world.pick(8) === 0) return complain("busy", 500);
    const conversation = this.begun(line);
    const stored = conversation.messages.find((one) => one.client_msg_id === client_msg_id);
    if (stored && stored.text !== text) return complain("id_reused", null);
    const { seq, at } = stored ?? this.append(conversation, { from: "visitor", text, client_msg_id });
    line.out({ type: "ack", client_msg_id, conversation: conversation.id, seq, at });
  }

  /** Stores a message and tells every line of its conversation. @param {any} conversation @param {object} message */
  append(conversation, message) {
    const frame = { type: "message", conversation: conversation.id, seq: conversation.messages.length + 1, at: this.world.now, pieces: [],
      citations: [], draft_id: null, client_msg_id: null, author: null, ...message };
    conversation.messages.push(frame);
    for (const line of this.lines) {
      if (line.visitor?.conversation !== conversation) continue;
      if (!(this.skips && this.world.pick(15) === 0)) line.out(frame);
    }
    return frame;
  }

  /** The process dies; what is stored stays. */
  kill() {
    this.down = true;
    for (const line of [...this.lines]) line.end();
    this.sessions.clear();
  }

  /** @param {any} tab */
  gone(tab) {
    for (const line of [...this.lines]) if (line.tab === tab) line.leave();
  }

  /** An older copy comes back: the newest `lost` messages are gone. @returns {object[]} those */
  turnBack(lost) {
    this.kill();
    this.down = false;
    return [...this.conversations.values()].flatMap((one) => {
      one.epoch = this.name(32);
      return one.messages.splice(Math.max(1, one.messages.length - lost));
    });
  }

  /** @param {any} tab @param {string} url a WebSocket */
  dial(tab, url) {
    assert.match(url, /^ws:\/\/house.test\/widget\/ws$/);
    this.asked.ws += 1;
    const socket = { readyState: 0, onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} };
    const lose = (code, reason) => { socket.readyState = 3; socket.onclose?.({ code, reason }); };
    if (this.ways.ws === "silent") return socket;
    this.world.after(5 + this.world.pick(30), tab, () => {
      if (this.down || this.ways.ws !== "open" || !this.world.online) return lose(1006, "");
      const line = new Line(this, tab, { frame: (data) => socket.onmessage?.({ data }), end: lose });
      socket.readyState = 1;
      socket.send = (text) => line.in(JSON.parse(text));
      socket.close = () => line.leave();
      socket.onopen?.();
    });
    return socket;
  }

  /** @param {any} tab @param {string} url @param {{ body: string, signal: AbortSignal }} options */
  fetch(tab, url, { body, signal }) {
    const path = url.replace("http://house.test/widget/", "");
    const way = path === "stream" ? "stream" : path === "poll" ? "poll" : "open";
    if (way !== "open") this.asked[way] += 1;
    setMaxListeners(0, signal);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      if (this.ways[way] === "silent") return;
      this.world.after(5 + this.world.pick(30), tab, () => {
        if (this.down || this.ways[way] === "refused" || !this.world.online) return reject(new Error("no network"));
        this.answer({ tab, path, asked: JSON.parse(body), signal, resolve, reject });
      });
    });
  }

  /** @param {any} request */
  answer(request) {
    const { path, asked, resolve } = request;
    if (path === "stream") return this.stream(request);
    const refuse = (status, code) => resolve({ ok: false, headers: new Map(), json: async () => ({ error: { code } }), status });
    if (path === "poll" && asked.type === "hello") return this.poll(this.session(request, "poll"), request);
    const session = this.sessions.get(asked.session);
    if (session?.line.mute) return; // half open: never answered
    if (!session?.line.open) return refuse(404, "unknown_session");
    if (path === "poll") return asked.batch !== session.batch ? refuse(409, "resume") : this.poll(session, request);
    assert.ok(asked.frames.length <= 40);
    for (const frame of asked.frames) session.line.in(frame);
    resolve({ ok: true });
  }

  /** @param {any} request @param {string} kind */
  session({ tab, asked, signal }, kind) {
    const session = { id: this.name(32), frames: [], batch: 0, wake: () => {}, line: /** @type {any} */ (null) };
    session.line = new Line(this, tab, {
      frame: (text) => { session.frames.push(text); session.wake(); },
      end: () => { session.over = true; session.wake(); },
    });
    if (kind === "stream") signal.addEventListener("abort", () => session.line.leave());
    this.sessions.set(session.id, session);
    session.line.in(asked);
    return session;
  }

  /** Answers as soon as there are frames. @param {any} session @param {any} request */
  poll(session, { tab, signal, resolve, reject }) {
    const give = () => {
      if (signal.aborted) return;
      if (session.over && !session.frames.length) return reject(new Error("reset"));
      const frames = session.frames.splice(0).map((text) => JSON.parse(text));
      if (frames.length) session.batch += 1;
      session.wake = () => {};
      const { batch } = session;
      resolve({ ok: true, json: async () => ({ session: session.id, batch, frames }) });
    };
    if (session.frames.length || session.over) return give();
    session.wake = give;
    this.world.after(25_000, tab, () => session.wake === give && !session.line.mute && give());
  }

  /** Sends bytes cut anywhere. @param {any} request */
  stream(request) {
    const session = this.session(request, "stream");
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify({ type: "session", session: session.id })}\n\n`);
    const parts = [bytes];
    let waiting = null;
    const give = () => {
      if (!waiting || (!parts.length && !session.over)) return;
      const { resolve, reject } = waiting;
      waiting = null;
      if (parts.length) resolve({ done: false, value: parts.shift() });
      else reject(new Error("reset"));
    };
    session.wake = () => {
      for (const text of session.frames.splice(0)) {
        const { seq } = JSON.parse(text);
        const all = new TextEncoder().encode(`${seq ? `id: ${seq}\r\n` : ": alive\n\n"}data: ${text}\n\n`);
        const cut = this.world.pick(all.length);
        parts.push(all.slice(0, cut), all.slice(cut));
      }
      give();
    };
    request.signal.addEventListener("abort", () => waiting?.reject(new Error("aborted")));
    const read = () => new Promise((resolve, reject) => { waiting = { resolve, reject }; give(); });
    request.resolve({ ok: true, body: { getReader: () => ({ read }) } });
  }
}
