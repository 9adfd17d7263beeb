// What the two ways without a WebSocket share: frames go out by POST, one request at a time so that they stay in order.

const MOST_FRAMES = 40;

/** @typedef {import("./frames.js").Ears} Ears */

/** A request that did not bring what was asked for. */
export class Refused extends Error {
  /**
   * @param {string} code the server's, empty for none
   * @param {number} least how long the server wants to be left alone, in milliseconds
   */
  constructor(code, least) {
    super(code);
    this.code = code;
    this.least = least;
  }
}

export class Posts {
  /**
   * @param {string} origin
   * @param {Ears} ears
   */
  constructor(origin, ears) {
    this.origin = origin;
    this.ears = ears;
    this.ended = new AbortController();
    /** @type {string | null} */
    this.session = null;
    /** @type {object[]} */
    this.queue = [];
    this.busy = false;
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
    const wait = Number(answer.headers.get("Retry-After")) || 0;
    throw new Refused((await answer.json().catch(() => null))?.error?.code ?? "", wait * 1_000);
  }

  /** @param {object} frame */
  write(frame) {
    this.queue.push(frame);
    void this.flush();
  }

  /** Sends what waits, once the server has given the session its name. */
  async flush() {
    if (this.busy || !this.session || !this.queue.length) return;
    this.busy = true;
    try {
      const frames = this.queue.splice(0, MOST_FRAMES);
      await this.ask("frames", { session: this.session, frames });
    } catch (error) {
      return this.fail(error);
    }
    this.busy = false;
    void this.flush();
  }

  /** @param {unknown} error ends the transport, unless that is what ended the request */
  fail(error) {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    const known = error instanceof Refused ? error : new Refused("", 0);
    this.ears.lost(0, known.code, known.least);
  }

  /** @returns {void} */
  close() {
    this.ended.abort();
  }
}
