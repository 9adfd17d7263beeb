// A world of its own for the widget's link: time, network, storage and tabs that a seed decides about.
import { AsyncLocalStorage } from "node:async_hooks";
import { Server } from "./model-server.mjs";

const WIDGET = new URL("../widget/", import.meta.url);
const { Link } = await import(String(new URL("link.js", WIDGET)));
await Promise.all(["stream.js", "poll.js"].map((name) => import(String(new URL(name, WIDGET)))));

const real = { setImmediate, random: Math.random, now: Date.now };
/** Whose doing something is, also after an `await`. */
const acting = new AsyncLocalStorage();
const NAMES = ["setTimeout", "clearTimeout", "localStorage", "WebSocket", "fetch", "navigator", "document", "addEventListener", "crypto", "location"];
/** Microtasks, and what a dynamic import needs beyond them. */
const settle = () => new Promise((resolve) => real.setImmediate(resolve));

/** @param {number} seed @returns {() => number} mulberry32: numbers from 0 to 1 */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the browser keeps: own keys are the entries, as in a browser. */
class FakeStorage {
  /** @param {World} world */
  constructor(world) {
    Object.defineProperty(this, "world", { value: world, enumerable: false });
    Object.defineProperty(this, "broken", { value: false, writable: true, enumerable: false });
  }
  getItem(key) {
    if (this.broken) throw new Error("storage is switched off");
    return Object.hasOwn(this, key) ? this[key] : null;
  }
  setItem(key, value) {
    if (this.broken) throw new Error("storage is switched off");
    this[key] = value;
    this.world.tellStorage(key, value);
  }
  removeItem(key) {
    if (this.broken) throw new Error("storage is switched off");
    if (!Object.hasOwn(this, key)) return;
    delete this[key];
    this.world.tellStorage(key, null);
  }
}

/** One page of the visitor, with what it shows. */
export class Tab {
  /** @param {World} world @param {string} name */
  constructor(world, name) {
    Object.assign(this, { world, name, dead: false, visible: true, listeners: new Map(), status: "", problems: [] });
    /** stored messages in the order they are shown */
    this.shown = [];
    /** own messages that are shown as waiting, by id */
    this.waiting = new Map();
    this.failed = new Set();
    this.ticked = new Set();
    /** every change of the status, with its time */
    this.line = [];
    this.events = [];
    this.link = world.as(this, () => new Link("http://house.test", {}, (event) => this.on(event)));
  }

  /** Opens the panel. */
  open() {
    this.world.as(this, () => {
      this.link.start();
      this.link.line.attend(true);
    });
    return this;
  }

  /** @param {string} text @returns {string} */
  type(text) {
    const id = this.world.as(this, () => this.link.send(text));
    if (id) this.waiting.set(id, text);
    return id;
  }

  /** What the panel does with each event, without the pixels. */
  on(event) {
    this.events.push(event);
    if (event.type === "status") {
      this.status = event.status;
      this.line.push([this.world.now, event.status]);
    } else if (event.type === "unsent") {
      if (this.waiting.has(event.entry.id)) this.problems.push(`${event.entry.id} was taken in twice`);
      this.waiting.set(event.entry.id, event.entry.text);
    } else if (event.type === "failed") {
      this.failed.add(event.id);
    } else if (event.type === "sent") {
      this.ticked.add(event.id);
    } else if (event.type === "reset") {
      this.shown = [];
      for (const id of this.ticked) this.waiting.delete(id);
      if (event.restored) this.restored = true;
    } else if (event.type === "message") {
      const last = this.shown.at(-1)?.seq ?? 0;
      if (event.seq !== last + 1) this.problems.push(`seq ${event.seq} came after ${last}`);
      this.shown.push({ seq: event.seq, text: event.text });
      if (event.client_msg_id) this.waiting.delete(event.client_msg_id);
      this.world.as(this, () => this.link.read());
    }
  }

  /** @param {string} name @param {object} event */
  fire(name, event = {}) {
    this.world.as(this, () => { for (const act of this.listeners.get(name) ?? []) act(event); });
  }

  /** @param {boolean} visible */
  look(visible) {
    this.visible = visible;
    this.fire("visibilitychange");
  }

  /** The page goes away without a word. */
  kill() {
    this.dead = true;
    this.world.server.gone(this);
  }
}

export class World {
  /** @param {number} seed */
  constructor(seed) {
    this.random = dice(seed);
    this.now = 1_700_000_000_000;
    /** @type {{ at: number, order: number, id: number, tab: Tab | null, act: () => void }[]} */
    this.agenda = [];
    this.order = 0;
    /** @type {Tab[]} */
    this.tabs = [];
    this.online = true;
    this.storage = new FakeStorage(this);
    this.server = new Server(this);
  }

  /** @param {number} n @returns {number} from 0 to n - 1 */
  pick(n) {
    return Math.floor(this.random() * n);
  }

  /** Puts the world in the place of the browser's. */
  install() {
    const world = this;
    this.before = Object.fromEntries(NAMES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
    const put = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    put("setTimeout", (act, ms = 0) => this.after(ms, this.tab, act));
    put("clearTimeout", (id) => { this.agenda = this.agenda.filter((entry) => entry.id !== id); });
    put("localStorage", this.storage);
    put("location", new URL("https://shop.example/"));
    put("WebSocket", function (url) { return world.server.dial(world.tab, url); });
    put("fetch", (url, options) => this.server.fetch(this.tab, url, options));
    put("navigator", { get onLine() { return world.online; } });
    put("crypto", { getRandomValues: (bytes) => bytes.map(() => this.pick(256)) });
    const listen = (name, act) => {
      const all = this.tab.listeners;
      all.set(name, [...(all.get(name) ?? []), act]);
    };
    put("addEventListener", listen);
    put("document", { addEventListener: listen, get visibilityState() { return world.tab?.visible ? "visible" : "hidden"; } });
    Math.random = this.random;
    Date.now = () => this.now;
    return this;
  }

  /** Gives the browser's things back. */
  restore() {
    for (const [name, value] of Object.entries(this.before)) {
      if (value) Object.defineProperty(globalThis, name, value);
      else delete globalThis[name];
    }
    Math.random = real.random;
    Date.now = real.now;
  }

  /** @param {Tab | null} tab @param {() => any} act @returns {any} */
  as(tab, act) {
    return acting.run(tab, act);
  }

  /** @returns {Tab | null} who acts now */
  get tab() {
    return acting.getStore() ?? null;
  }

  /** @param {number} ms @param {Tab | null} tab whose doing it is @param {() => void} act @returns {number} */
  after(ms, tab, act) {
    this.order += 1;
    this.agenda.push({ at: this.now + Math.max(0, ms), order: this.order, id: this.order, tab, act });
    return this.order;
  }

  /** Lets time go by. @param {number} ms */
  async run(ms) {
    const end = this.now + ms;
    await settle();
    for (;;) {
      let next = null;
      for (const entry of this.agenda) {
        if (entry.at <= end && (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order))) next = entry;
      }
      if (!next) break;
      this.agenda.splice(this.agenda.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      if (next.tab?.dead) continue;
      this.as(next.tab, next.act);
      await settle();
    }
    this.now = end;
  }

  /** @param {string} name @returns {Tab} */
  newTab(name) {
    const tab = new Tab(this, name);
    this.tabs.push(tab);
    return tab.open();
  }

  /** @param {string} key @param {string | null} newValue */
  tellStorage(key, newValue) {
    for (const tab of this.tabs) {
      // A frozen page never hears of it.
      if (tab !== this.tab && !tab.dead && this.pick(4)) this.after(1 + this.pick(20), tab, () => tab.fire("storage", { key, newValue }));
    }
  }
}
