// The rules as the console knows them: what decides over answers, and how many wrong ones the owner allows.

import * as api from "./api.js";
import { flows } from "./desk.js";
import { changed } from "./store.js";
import { doOne } from "./work.js";

/** @typedef {import("./types.js").Rules} Rules */

/**
 * @typedef {object} Rulebook
 * @property {boolean} open the page is on the screen
 * @property {Rules | null} rules
 * @property {{ flows: import("./types.js").Flow[], problem: string | null } | null} flows
 * @property {number} share the slider's place while it is moved, percent; 0 while it rests
 * @property {string} busy what is on its way, empty for nothing
 * @property {string} said what was done last, for screen readers
 * @property {string} problem
 */

/** @returns {Rulebook} */
function empty() {
  return { open: false, rules: null, flows: null, share: 0, busy: "", said: "", problem: "" };
}

/** @type {Rulebook} */
export const rulebook = empty();

/** Forgets everything of the owner who has signed out. @returns {void} */
export const forgetRules = () => {
  Object.assign(rulebook, empty());
};

/**
 * Shows the page or leaves it.
 * @param {boolean} open
 * @returns {void}
 */
export function openRules(open) {
  if (rulebook.open === open) return;
  rulebook.open = open;
  if (open) void doOne(rulebook, "read", async () => {
    rulebook.rules = await api.rules();
    changed();
    rulebook.flows = await flows();
  });
}

/**
 * Chooses the share of wrong answers that may be sent, percent; null leaves the threshold to policy.toml.
 * @param {number | null} percent
 * @returns {Promise<boolean>} whether it was done
 */
export const allow = (percent) => doOne(rulebook, "allow", async () => {
  const tuning = await api.allowWrong(percent === null ? null : percent / 100);
  if (rulebook.rules) rulebook.rules = { ...rulebook.rules, tuning };
  rulebook.share = 0;
  rulebook.said = percent === null ? "policy.toml decides again." : `At most ${percent}% of the answers sent may be wrong.`;
});
