// What the two ways without a WebSocket share: frames go out by POST, one request at a time so that they stay in order.

const MOST_FRAMES = 40;

/** @typedef {import("./frames.js").Ears} Ears */

/** One session: what the server calls it, what waits to be sent, and the signal that ends its requests. */
export class Session {
  /**
   * @param {string} origin
   * @param {Ears} ears
   */
  constructor(origin, ears) {
    this.origin = origin;
    this.ears = ears;
    this.ended = new AbortController();
    /** @type {string | null} */
    this.name = null;
    /** @type {object[]} */
    this.queue = [];
    this.busy = false;
  }

  /** Whether nobody listens any more. */
  get over() {
    return this.ended.signal.aborted;
  }

  /**
   * @param {string} path
   * @param {object} body
   * @returns {Promise<Response>} never one that failed
   */
  async ask(path, body) {
    const answer = await fetch(`${this.origin}/widget/${path}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      cache: "no-store", credentials: "omit", signal: this.ended.signal,
    });
    if (answer.ok) return answer;
    const least = (Number(answer.headers.get("Retry-After")) || 0) * 1_000;
    const code = (await answer.json().catch(() => null))?.error?.code ?? "";
    throw Object.assign(new Error(`the server answered ${answer.status}`), { code, least });
  }

  /** @param {string} name the server's; what waits can be sent now */
  begin(name) {
    this.name = name;
    void this.flush();
  }

  /** @param {object} frame */
  put(frame) {
    this.queue.push(frame);
    void this.flush();
  }

  async flush() {
    if (this.busy || !this.name || !this.queue.length) return;
    this.busy = true;
    try {
      await this.ask("frames", { session: this.name, frames: this.queue.splice(0, MOST_FRAMES) });
    } catch (error) {
      return this.fail(error);
    }
    this.busy = false;
    void this.flush();
  }

  /** @param {unknown} error ends the session, unless its end is what ended the request */
  fail(error) {
    if (this.over) return;
    this.ended.abort();
    const { code = "", least = 0 } = /** @type {{ code?: string, least?: number }} */ (error);
    this.ears.lost(0, typeof code === "string" ? code : "", least);
  }
}

/** A way to the server by requests; what reads the answers is the subclass's. */
export class Http {
  /**
   * @param {string} origin
   * @param {Ears} ears
   */
  constructor(origin, ears) {
    this.fresh = () => new Session(origin, ears);
    this.session = this.fresh();
    queueMicrotask(() => ears.open());
  }

  /** @param {{ type: string }} frame a `hello` begins a session of its own */
  write(frame) {
    if (frame.type !== "hello") return this.session.put(frame);
    this.close();
    const session = this.session = this.fresh();
    this.read(session, frame).catch((error) => session.fail(error));
  }

  /**
   * Reports what the server sends until the session is over; throws when the server ends it.
   * @param {Session} _session
   * @param {object} _hello
   * @returns {Promise<void>}
   */
  async read(_session, _hello) {}

  /** @returns {void} */
  close() {
    this.session.ended.abort();
  }
}
