// What the console's own pages share: one thing at a time, and what went wrong with it.

import { ApiError } from "./api.js";
import { changed } from "./store.js";

/**
 * @typedef {object} Page
 * @property {boolean} open it is on the screen
 * @property {string} busy what is on its way, empty for nothing
 * @property {string} said what was done last, for screen readers
 * @property {string} problem
 */

/** What to do when the session has ended. @type {() => void} */
let signedOut = () => {};

/** @param {() => void} then @returns {void} */
export const onSignedOut = (then) => {
  signedOut = then;
};

/**
 * Does one thing at a time for a page and shows what went wrong.
 * @param {Page} page
 * @param {string} what
 * @param {() => Promise<void>} work
 * @returns {Promise<boolean>} whether it was done
 */
export async function doOne(page, what, work) {
  if (page.busy) return false;
  Object.assign(page, { busy: what, problem: "" });
  changed();
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signedOut();
    else page.problem = error instanceof Error ? error.message : String(error);
  }
  page.busy = "";
  changed();
  return page.problem === "";
}
