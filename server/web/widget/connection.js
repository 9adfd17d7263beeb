// A connection that comes back by itself: the way that gets through, a heartbeat, full-jitter waits, named timers.

import { Socket } from "./socket.js";

/** @typedef {import("./frames.js").Transport} Transport */

/** Waits grow from the first to the second, each drawn anew from nothing to all of it. */
const BASE_MS = 500;
const CAP_MS = 20_000;
/** A connection that lasted so long makes the next waits short again. */
const STEADY_MS = 5_000;
/** Until the first sign of life the next way is tried soon; from then on, and on the last way, there is more time. */
const PROBE_MS = 3_000;
const ANSWER_MS = 12_000;
/** Silence after which the server is asked, and silence after that which is told: 5 s in all while somebody looks. */
const BEAT_MS = 2_500;
const QUIET_BEAT_MS = 20_000;
const QUIET_ANSWER_MS = 10_000;
/** A connection in doubt is kept so long: a busy server is not helped by all its visitors coming anew. */
const DOUBT_MS = 5_000;
/** Tries without a sign of life before a way that has worked counts as blocked. */
const MISSES = 3;
/** After so long on another way, the next connection tries the WebSocket again. */
const DETOUR_MS = 300_000;

/** @type {((query: string) => Promise<new (origin: string, ears: import("./frames.js").Ears) => Transport>)[]} */
const WAYS = [
  async () => Socket,
  async (query) => (await import(`./stream.js${query}`)).Stream,
  async (query) => (await import(`./poll.js${query}`)).Poll,
];

/**
 * @typedef {object} Handlers
 * @property {() => void} open
 * @property {(data: string) => void} data
 * @property {(doubt: boolean) => void} doubt nothing is heard any more, or something is again
 * @property {(code: number, reason: string) => number | null | undefined} lost says how long to wait: null for ever, undefined for the usual
 */

export class Connection {
  /**
   * @param {string} origin
   * @param {Handlers} on
   */
  constructor(origin, on) {
    this.origin = origin;
    this.on = on;
    /** @type {Transport | null} */
    this.live = null;
    /** names the try that is under way or has led to a connection; @type {object | null} */
    this.turn = null;
    this.attempt = 0;
    this.way = 0;
    /** the way that brought the last welcome, -1 for none */
    this.proved = -1;
    this.misses = 0;
    this.detourSince = 0;
    /** imports that failed: a browser remembers those by their address */
    this.fetched = 0;
    this.heard = this.welcome = this.doubted = false;
    /** somebody has the panel open */
    this.open = false;
    /** the server asked for the wait */
    this.asked = false;
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
  }

  /** Connects, and from then on follows what the browser knows of its network and its page. */
  start() {
    addEventListener("online", () => this.check());
    addEventListener("offline", () => this.welcome && this.drop());
    addEventListener("pageshow", (event) => event.persisted && this.check());
    document.addEventListener("visibilitychange", () => this.watched && this.check());
    void this.connect();
  }

  /** @param {boolean} open whether the visitor has the panel open */
  attend(open) {
    this.open = open;
    if (this.watched) this.check();
  }

  /** Whether somebody looks. */
  get watched() {
    return this.open && document.visibilityState === "visible";
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
    this.timers.set(name, setTimeout(() => {
      this.timers.delete(name);
      then();
    }, ms));
  }

  /** Opens a connection unless there is one. */
  async connect() {
    this.later("retry");
    if (this.turn) return;
    const turn = this.turn = {};
    this.asked = false;
    this.expect(ANSWER_MS);
    try {
      const Way = await WAYS[this.way](this.fetched ? `?try=${this.fetched}` : "").catch((error) => {
        this.fetched += 1;
        throw error;
      });
      if (this.turn !== turn) return;
      this.live = new Way(this.origin, {
        open: () => this.turn === turn && this.on.open(),
        data: (text) => this.turn === turn && this.hear(text),
        lost: (code, reason, least) => this.turn === turn && this.drop(code, reason, least),
      });
      if (this.way < WAYS.length - 1) this.expect(PROBE_MS);
    } catch {
      if (this.turn === turn) this.drop(); // the page's own policy refuses it, or the module did not come
    }
  }

  /** Whatever the connection waits for, it is time: somebody looks, or the network is back. */
  check() {
    if (this.welcome) this.ask();
    else if (this.timers.has("retry") && !this.asked) void this.connect();
  }

  /** @param {string} text of any frame, which is a sign of life */
  hear(text) {
    this.heard = true;
    if (this.welcome) this.alive();
    else this.expect(ANSWER_MS);
    if (text) this.on.data(text);
  }

  /** Starts to count the silence. */
  alive() {
    this.later("answer");
    if (this.doubted) this.on.doubt((this.doubted = false));
    this.later("beat", this.watched ? BEAT_MS : QUIET_BEAT_MS, () => this.ask());
  }

  /** Asks for a sign of life. */
  ask() {
    this.write({ type: "ping" });
    this.await();
  }

  /** Something was sent that is answered at once. */
  await() {
    if (!this.timers.has("answer")) this.expect(this.watched ? BEAT_MS : QUIET_ANSWER_MS);
  }

  /** @param {number} ms until the connection is given up, or first doubted when it has worked */
  expect(ms) {
    this.later("answer", ms, () => {
      if (!this.welcome) return this.drop();
      this.on.doubt((this.doubted = true));
      this.later("answer", DOUBT_MS, () => this.drop());
    });
  }

  /** The server has greeted: this way works. */
  greeted() {
    this.welcome = true;
    this.misses = 0;
    if (this.proved !== this.way) this.detourSince = Date.now();
    this.proved = this.way;
    this.alive();
    this.later("steady", STEADY_MS, () => { this.attempt = 0; });
  }

  /** @param {{ type: string } & Record<string, unknown>} frame */
  write(frame) {
    this.live?.write(frame);
  }

  /** Ends the connection and everything that waits for it. */
  close() {
    this.turn = null;
    this.live?.close();
    this.live = null;
    this.heard = this.welcome = this.doubted = false;
    for (const name of [...this.timers.keys()]) this.later(name);
  }

  /**
   * Gives the connection up and comes back after a while, or at once another way.
   * @param {number} [code]
   * @param {string} [reason]
   * @param {number} [least] milliseconds that the server wants to be left alone
   */
  drop(code = 0, reason = "", least = 0) {
    const other = !this.heard && this.divert();
    if (this.way && Date.now() - this.detourSince > DETOUR_MS && this.proved === this.way) this.wayBack();
    this.close();
    const asked = this.on.lost(code, reason);
    if (asked === null) return;
    const cap = Math.min(CAP_MS, BASE_MS * 2 ** this.attempt);
    if (!other) this.attempt = Math.min(this.attempt + 1, 16);
    this.asked = Boolean(asked || least);
    this.later("retry", other ? 0 : asked ?? least + Math.random() * cap, () => void this.connect());
  }

  /** @returns {boolean} whether another way is tried at once, since nothing came back on this one */
  divert() {
    if (navigator.onLine === false || (this.proved === this.way && ++this.misses < MISSES)) return false;
    this.wayBack((this.way + 1) % WAYS.length);
    return this.way > 0;
  }

  /** @param {number} [way] to be tried next, as if nothing were known */
  wayBack(way = 0) {
    this.way = way;
    this.proved = -1;
    this.misses = 0;
  }
}
