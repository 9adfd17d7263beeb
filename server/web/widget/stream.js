// The second way to the server: an event stream over `fetch`, and POST for what the visitor sends.

import { Posts } from "./posts.js";

/** @typedef {import("./frames.js").Ears} Ears */

/** Reads an event stream as its bytes come, however they are cut. */
export class Events {
  /** @param {(data: string) => void} report the data of each event; an empty one for a comment, which is a sign of life */
  constructor(report) {
    this.report = report;
    this.text = new TextDecoder();
    this.rest = "";
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {Uint8Array} bytes */
  push(bytes) {
    this.rest += this.text.decode(bytes, { stream: true });
    // A carriage return at the end may be half of a line's end.
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  /** @param {string} line */
  line(line) {
    if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
    else if (line.startsWith(":")) this.report("");
    else if (line === "" && this.data.length) this.report(this.data.splice(0).join("\n"));
  }
}

export class Stream {
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

  /** @param {{ type: string }} frame a `hello` opens a stream of its own */
  write(frame) {
    if (frame.type !== "hello") return this.posts.write(frame);
    this.posts.close();
    this.posts = new Posts(this.origin, this.ears);
    void this.read(this.posts, frame);
  }

  /**
   * @param {Posts} posts
   * @param {object} hello
   */
  async read(posts, hello) {
    const events = new Events((data) => this.hear(posts, data));
    try {
      const reader = (await posts.ask("stream", hello)).body?.getReader();
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) throw new Error("the stream has ended");
        if (posts === this.posts) events.push(part.value);
      }
    } catch (error) {
      posts.fail(error);
    }
  }

  /**
   * @param {Posts} posts
   * @param {string} data the first names the session
   */
  hear(posts, data) {
    if (data && !posts.session) {
      posts.session = JSON.parse(data).session;
      void posts.flush();
      data = "";
    }
    if (!posts.ended.signal.aborted) this.ears.data(data);
  }

  /** @returns {void} */
  close() {
    this.posts.close();
  }
}
