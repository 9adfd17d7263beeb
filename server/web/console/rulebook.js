// The rules as the console knows them: what decides over answers, and how many wrong ones the owner allows.

import * as api from "./api.js";
import { changed } from "./store.js";

/** @typedef {import("./types.js").Rules} Rules */

/**
 * @typedef {object} Rulebook
 * @property {boolean} open the page is on the screen
 * @property {Rules | null} rules
 * @property {number} share the slider's place while it is moved, percent; 0 while it rests
 * @property {boolean} busy
 * @property {string} said what was done last, for screen readers
 * @property {string} problem
 */

/** @returns {Rulebook} */
function empty() {
  return { open: false, rules: null, share: 0, busy: false, said: "", problem: "" };
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
  if (open) void work(async () => {
    rulebook.rules = await api.rules();
  });
}

/**
 * Chooses the share of wrong answers that may be sent, percent; null leaves the threshold to policy.toml.
 * @param {number | null} percent
 * @returns {Promise<void>}
 */
export const allow = (percent) => work(async () => {
  const tuning = await api.allowWrong(percent === null ? null : percent / 100);
  if (rulebook.rules) rulebook.rules = { ...rulebook.rules, tuning };
  rulebook.said = percent === null ? "policy.toml decides again." : `At most ${percent}% of the answers sent may be wrong.`;
});

/**
 * Does one thing at a time and shows what went wrong.
 * @param {() => Promise<void>} task
 * @returns {Promise<void>}
 */
async function work(task) {
  if (rulebook.busy) return;
  Object.assign(rulebook, { busy: true, problem: "" });
  changed();
  try {
    await task();
  } catch (error) {
    rulebook.problem = error instanceof Error ? error.message : String(error);
  }
  Object.assign(rulebook, { busy: false, share: 0 });
  changed();
}
