// The last way to the server: a request that is answered as soon as there are frames, and POST for what the visitor sends.

import { Http } from "./http.js";

export class Poll extends Http {
  /**
   * @override
   * @param {import("./http.js").Session} session
   * @param {object} hello
   */
  async read(session, hello) {
    for (let question = hello; !session.over;) {
      const answer = await (await session.ask("poll", question)).json();
      session.begin(answer.session);
      session.ears.data(""); // an empty answer is a sign of life, too
      for (const frame of answer.frames) {
        if (session.over) return;
        session.ears.data(JSON.stringify(frame));
      }
      question = { session: answer.session, batch: answer.batch }; // the server sees whether the answer arrived
    }
  }
}
