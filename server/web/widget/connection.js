// A connection that comes back by itself: the way that gets through, a heartbeat, full-jitter waits, named timers.

import { Socket } from "./socket.js";

// Milliseconds. A wait is drawn from 0 to twice as much each time, and short again after a steady connection.
const BASE = 500;
const CAP = 20_000;
const NEAR = 4_000;
const SOON = 12;
const STEADY = 5_000;
// Until the first sign of life on a way that has not worked yet, unless it is the last; and until the welcome.
const PROBE = 3_000;
const ANSWER = 12_000;
// Silence before the server is asked, and again before the visitor is told: 5 s while somebody looks.
const BEAT = 2_500;
const QUIET_BEAT = 20_000;
const QUIET_ANSWER = 10_000;
// A silent connection is kept a little longer: new ones do not help a busy server.
const DOUBT = 5_000;
// After so long on another way the next connection tries the WebSocket again.
const DETOUR = 300_000;
/** Tries in vain until a way that has worked counts as blocked. */
const MISSES = 3;

/** @type {((query: string) => Promise<import("./frames.js").Way>)[]} */
const WAYS = [
  async () => Socket,
  async (query) => (await import(`./stream.js${query}`)).Stream,
  async (query) => (await import(`./poll.js${query}`)).Poll,
];

export class Connection {
  /**
   * @param {string} origin
   * @param {import("./frames.js").Handlers} on
   */
  constructor(origin, on) {
    this.origin = origin;
    this.on = on;
    /** @type {import("./frames.js").Transport | null} */
    this.live = null;
    /** names the try under way; @type {object | null} */
    this.turn = null;
    this.attempt = this.misses = this.since = this.failedImports = 0;
    this.way = 0;
    /** the way that worked last, since when; -1 for none */
    this.proved = -1;
    this.heard = this.welcome = this.doubted = this.open = false;
    /** the server asked for the wait */
    this.asked = false;
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
  }

  /** Connects, and follows what the browser knows of its network and its page. */
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
   * Runs `then` after `ms` in place of the timer of that name; without `then` only clears it.
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
    this.expect(ANSWER);
    try {
      const Way = await WAYS[this.way](this.failedImports ? `?try=${this.failedImports}` : "").catch((error) => {
        this.failedImports += 1;
        throw error;
      });
      if (this.turn !== turn) return;
      this.live = new Way(this.origin, {
        open: () => this.turn === turn && this.on.open(),
        data: (text) => this.turn === turn && this.hear(text),
        lost: (code, reason, least) => this.turn === turn && this.drop(code, reason, least),
      });
      if (this.proved !== this.way && this.way < WAYS.length - 1) this.expect(PROBE);
    } catch {
      if (this.turn === turn) this.drop(); // the page's policy refuses it, or the module did not come
    }
  }

  /** Somebody looks, or the network is back. */
  check() {
    if (this.welcome) this.ask();
    else if (this.timers.has("retry") && !this.asked) void this.connect();
  }

  /** @param {string} text any frame is a sign of life */
  hear(text) {
    this.heard = true;
    if (this.welcome) this.alive(!text);
    else this.expect(ANSWER);
    if (text) this.on.data(text);
  }

  /** Starts to count the silence. @param {boolean} [mute] the server has only shown that it lives; it wants the same of us */
  alive(mute) {
    this.later("answer");
    if (this.doubted) this.on.doubt((this.doubted = false));
    if (mute && this.timers.has("beat")) return;
    this.later("beat", this.watched ? BEAT : QUIET_BEAT, () => this.ask());
  }

  /** Asks for a sign of life. */
  ask() {
    this.write({ type: "ping" });
    this.await();
  }

  /** Something was sent that is answered. */
  await() {
    if (!this.timers.has("answer")) this.expect(this.watched ? BEAT : QUIET_ANSWER);
  }

  /** @param {number} ms until the connection is given up, or doubted first if it has worked */
  expect(ms) {
    this.later("answer", ms, () => {
      if (!this.welcome) return this.drop();
      this.on.doubt((this.doubted = true));
      this.later("answer", DOUBT, () => this.drop());
    });
  }

  /** This way works. */
  greeted() {
    this.welcome = true;
    this.misses = 0;
    if (this.proved !== this.way) this.since = Date.now();
    this.proved = this.way;
    this.alive();
    this.later("steady", STEADY, () => { this.attempt = 0; });
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
   * @param {number} [least] what the server asks for
   */
  drop(code = 0, reason = "", least = 0) {
    const other = !this.heard && this.divert();
    if (this.way && Date.now() - this.since > DETOUR && this.proved === this.way) this.wayBack();
    this.close();
    const asked = this.on.lost(code, reason);
    if (asked === null) return;
    // Short waits for as long as a restart takes, then longer ones.
    const soon = this.attempt < SOON;
    const cap = Math.min(soon ? NEAR : CAP, BASE * 2 ** (soon ? this.attempt : this.attempt - SOON + 4));
    if (!other) this.attempt = Math.min(this.attempt + 1, 2 * SOON);
    this.asked = Boolean(asked || least);
    this.later("retry", other ? 0 : asked ?? least + Math.random() * cap, () => void this.connect());
  }

  /** @returns {boolean} whether another way is tried at once: nothing came back on this one */
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
