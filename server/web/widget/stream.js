// The second way to the server: an event stream over `fetch`, and POST for what the visitor sends.

import { Http } from "./http.js";

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

export class Stream extends Http {
  /**
   * @override
   * @param {import("./http.js").Session} session
   * @param {object} hello
   */
  async read(session, hello) {
    const events = new Events((data) => {
      if (session.over) return;
      if (!data || session.name) return session.ears.data(data);
      session.begin(JSON.parse(data).session);
      session.ears.data("");
    });
    const reader = (await session.ask("stream", hello)).body?.getReader();
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done) throw new Error("the stream has ended");
      events.push(part.value);
    }
  }
}
