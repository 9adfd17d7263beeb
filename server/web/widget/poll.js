// The last way to the server: a request that is answered as soon as there are frames, and POST for what the visitor sends.

import { Posts } from "./posts.js";

/** @typedef {import("./frames.js").Ears} Ears */

export class Poll {
  /**
   * @param {string} origin
   * @param {Ears} ears
   */
  constructor(origin, ears) {
    this.origin = origin;
    this.ears = ears;
    this.posts = new Posts(origin, ears);
    queueMicrotask(() => ears.open());
  }

  /** @param {{ type: string }} frame a `hello` begins a session of its own */
  write(frame) {
    if (frame.type !== "hello") return this.posts.write(frame);
    this.posts.close();
    this.posts = new Posts(this.origin, this.ears);
    void this.read(this.posts, /** @type {{ type: string, last_seq: number }} */ (frame));
  }

  /**
   * @param {Posts} posts
   * @param {{ last_seq: number }} hello
   */
  async read(posts, hello) {
    let last = hello.last_seq;
    /** @type {object} */
    let question = hello;
    try {
      for (;;) {
        const { session, frames } = await (await posts.ask("poll", question)).json();
        posts.session = session;
        void posts.flush();
        this.ears.data("");
        for (const frame of frames) {
          if (posts.ended.signal.aborted) return;
          if (frame.type === "message") last = Math.max(last, frame.seq);
          this.ears.data(JSON.stringify(frame));
        }
        if (posts.ended.signal.aborted) return;
        question = { session, last_seq: last };
      }
    } catch (error) {
      posts.fail(error);
    }
  }

  /** @returns {void} */
  close() {
    this.posts.close();
  }
}
