// "Did this solve it?" below the newest automatic answer: a quiet row, gone as soon as anything else is said.

import { button, el } from "./dom.js";

/**
 * What the row asks of the panel.
 * @typedef {object} Deeds
 * @property {() => void} resolve the visitor is content
 * @property {() => void} focus gives the focus to the field
 * @property {(act: () => void) => void} change changes what is shown and stays at its end
 */

export class Solved {
  /** @param {Deeds} deeds */
  constructor(deeds) {
    this.deeds = deeds;
    /** whether the owner wants it asked */
    this.on = false;
    /** @type {HTMLElement | null} */
    this.row = null;
  }

  /**
   * A message has come, in order.
   * @param {import("./frames.js").Message} message
   * @param {Element | null | undefined} node that shows it
   */
  message(message, node) {
    if (message.from === "system") return;
    this.drop();
    const answer = message.from === "bot" && message.citations.length > 0 && !message.card;
    if (!this.on || !answer || !node) return;
    const row = el("div", "solved", "", { role: "group", "aria-label": "Did this solve it?", "aria-live": "off" });
    const yes = button("quick", "Yes, thanks", () => this.deeds.resolve());
    row.append(el("span", "", "Did this solve it?"), yes, button("quick", "Not yet", () => this.notYet(row)));
    this.row = row;
    this.deeds.change(() => node.append(row));
  }

  /** @param {HTMLElement} row */
  notYet(row) {
    this.deeds.change(() => row.replaceChildren(el("span", "", "Say what is missing, or talk to a person below.", { role: "status", "aria-live": "polite" })));
    this.deeds.focus();
  }

  /** Takes the row away. @returns {void} */
  drop() {
    const { row } = this;
    this.row = null;
    if (row) this.deeds.change(() => row.remove());
  }
}
