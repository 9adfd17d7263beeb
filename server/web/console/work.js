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

/**
 * Where a page's address leads: its state, how that is empty, and what is read when the page opens.
 * @typedef {object} Place
 * @property {Page & { id: string | null }} page
 * @property {() => object} empty
 * @property {() => Promise<unknown>} read
 */

/** By what stands behind `#/`. @type {Map<string, Place>} */
const places = new Map();

/**
 * Makes a page known by its name in the address; a page with details has the id of the open one behind its name.
 * @template T
 * @param {string} name
 * @param {() => T} empty what the page knows before anything is read
 * @param {() => Promise<unknown>} read
 * @returns {T & Page & { id: string | null }}
 */
export function register(name, empty, read) {
  const all = () => ({ ...empty(), open: false, busy: "", said: "", problem: "", id: null });
  const page = all();
  places.set(name, { page, empty: all, read });
  return page;
}

/** Shows the page that the address names, if it is one of these, and leaves the others. @param {string} hash @returns {void} */
export function openPages(hash) {
  const [, name, id = null] = /^#\/([a-z]+)(?:\/([0-9a-f]{32}))?$/.exec(hash) ?? [];
  for (const [own, { page, read }] of places) {
    const fresh = own === name && !page.open;
    page.open = own === name;
    page.id = page.open ? id : null;
    if (fresh) void read();
  }
}

/** @param {string} name @returns {boolean} whether it is on the screen */
export const isOpen = (name) => places.get(name)?.page.open ?? false;

/** There is news for a page: reads it again while it is on the screen. @param {string} name @returns {void} */
export function readAgain(name) {
  if (isOpen(name)) void places.get(name)?.read();
}

/** Forgets everything of the owner who has signed out. @returns {void} */
export function forgetPages() {
  for (const { page, empty } of places.values()) Object.assign(page, empty());
}

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
