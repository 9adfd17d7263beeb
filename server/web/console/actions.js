// What the owner does: each function sends a command and shows what came of it.

import * as api from "./api.js";
import { forgetIntents, heardPrompts, openIntents, readIntents } from "./intents.js";
import { forgetLibrary, heard, openLibrary, whenSignedOut } from "./library.js";
import { forgetRules, openRules } from "./rulebook.js";
import { readOngoing } from "./ongoing.js";
import { readCalls } from "./deeds.js";
import { Live } from "./live.js";
import { clear, written } from "./offer.js";
import { emptySlots, forgetSaved, openSaved } from "./saved.js";
import { applyFrame, changed, composingOf, fillDetail, forget, lostTouch, openDetail, putList, store } from "./store.js";
import { tell } from "./notices.js";
import { readReviews } from "./reviews.js";
import { forgetPages, isOpen, onSignedOut, openPages, readAgain } from "./work.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Suggestion} Suggestion */

/** Conversations whose take-over is on its way. @type {Set<string>} */
const taking = new Set();

const TYPING_EVERY_MS = 2500;
const TYPING_IDLE_MS = 4000;
const typing = { at: 0, id: "", timer: 0 };

export const live = new Live({
  frame: (frame) => {
    if (frame.type === "knowledge") heard(frame.knowledge);
    else if (frame.type === "prompts") heardPrompts(frame.prompts);
    else if (frame.type === "list") void readList();
    else if (frame.type === "conversation") heardLine(frame.conversation);
    else if (frame.type === "notice") heardNotice(frame);
    else if (applyFrame(frame) && store.detail) void read(store.detail.id);
    else if (frame.type === "message" && frame.from === "visitor") seen();
    if (store.detail && (frame.type === "message" || (frame.type === "conversation" && frame.conversation.id === store.detail.id))) readOngoing();
    changed();
  },
  open: () => {
    store.link = "open";
    store.problem = "";
    changed();
    void readList();
    void readIntents();
    void readCalls();
    readReviews();
    if (store.detail) void read(store.detail.id);
  },
  lost: () => {
    lostTouch();
    changed();
  },
  back: () => {
    store.link = "open";
    changed();
  },
  signedOut: () => signedOut(),
});

/** A line of the list is new; a rating or an end may be a reason for a second look. @param {import("./types.js").Summary} line @returns {void} */
function heardLine(line) {
  const before = store.conversations.get(line.id);
  applyFrame({ type: "conversation", conversation: line });
  if (String(before?.rating) !== String(line.rating) || before?.state !== line.state || isOpen("reviews")) readReviews();
}

/** @param {import("./types.js").NoticeFrame} frame @returns {void} */
function heardNotice(frame) {
  tell(frame);
  if (frame.event === "approval") void readCalls();
  if (frame.event === "new_ticket") readAgain("tickets");
  if (frame.event === "new_lead") readAgain("leads");
  if (frame.conversation === store.detail?.id) readOngoing();
}

const SEEN_MS = 300;
let seenTimer = 0;

/** Tells the server, soon, that the owner has the newest messages on the screen. @returns {void} */
function seen() {
  clearTimeout(seenTimer);
  seenTimer = setTimeout(() => {
    const detail = store.detail;
    if (!detail || detail.loading || document.visibilityState !== "visible") return;
    live.watch(detail.id, detail.messages.at(-1)?.seq ?? null);
  }, SEEN_MS);
}

document.addEventListener("visibilitychange", seen);

/** Finds out who is here and shows what fits. @returns {Promise<void>} */
export async function begin() {
  try {
    store.me = await api.me();
    const token = setupToken();
    store.view = store.me.owner ? "main" : token || store.me.setup ? "setup" : "signin";
    if (store.me.owner && token) history.replaceState(null, "", "#/");
    if (store.view === "main") {
      live.start();
      route();
    }
  } catch (error) {
    store.view = error instanceof api.ApiError && error.status === 401 ? "signin" : "failed";
  }
  changed();
}

/** The token of the one-time link, empty for none. @returns {string} */
export function setupToken() {
  return new URLSearchParams(location.hash.slice(1)).get("setup") ?? "";
}

/** Opens the conversation that the address names. @returns {void} */
export function route() {
  if (setupToken()) {
    void begin();
    return;
  }
  if (store.view !== "main") return;
  openLibrary(location.hash === "#/knowledge");
  openRules(location.hash === "#/rules");
  openIntents(location.hash === "#/examples");
  openSaved(location.hash === "#/saved");
  openPages(location.hash);
  const id = /^#\/c\/([0-9a-f]{32})$/.exec(location.hash)?.[1] ?? null;
  if (id === (store.detail?.id ?? null)) {
    changed();
    return;
  }
  stopTyping();
  live.watch(id);
  store.problem = "";
  if (id) void read(id);
  else store.detail = null;
  changed();
}

/** @returns {void} */
function signedOut() {
  live.stop();
  forget();
  forgetLibrary();
  forgetRules();
  forgetIntents();
  forgetSaved();
  forgetPages();
  store.view = "signin";
  changed();
}

whenSignedOut(signedOut);
onSignedOut(signedOut);

/**
 * Shows a problem; an ended session leads to the sign-in view.
 * @param {unknown} error
 * @returns {void}
 */
function problem(error) {
  if (error instanceof api.ApiError && error.status === 401) {
    signedOut();
    return;
  }
  store.problem = error instanceof Error ? error.message : String(error);
  changed();
}

/** Reads the list. @returns {Promise<void>} */
async function readList() {
  const asked = new Map(store.conversations);
  try {
    putList((await api.conversations()).conversations, asked);
    changed();
  } catch (error) {
    problem(error);
  }
}

/**
 * Reads one conversation and shows it.
 * @param {string} id
 * @returns {Promise<void>}
 */
export async function read(id) {
  const detail = openDetail(id);
  changed();
  try {
    const opened = await api.conversation(id);
    if (store.detail !== detail) return;
    fillDetail(detail, opened);
    if (!store.conversations.has(id)) store.conversations.set(id, opened.conversation);
    seen();
    changed();
  } catch (error) {
    if (store.detail !== detail) return;
    detail.loading = false;
    const gone = error instanceof api.ApiError && error.status === 404;
    detail.failed = gone ? "There is no such conversation." : "The conversation cannot be read now.";
    if (!gone) problem(error);
    changed();
  }
}

/**
 * Shows a state at once; the server's frame follows.
 * @param {string} id
 * @param {State} state
 * @returns {void}
 */
function setState(id, state) {
  const summary = store.conversations.get(id);
  if (summary) store.conversations.set(id, { ...summary, state, reason: state === "waiting" ? summary.reason : null });
}

/**
 * Sends a command that changes who holds the conversation.
 * @param {string} id
 * @param {(id: string) => Promise<null>} command
 * @param {State} state
 * @returns {Promise<void>}
 */
async function move(id, command, state) {
  try {
    await command(id);
    setState(id, state);
    if (state !== "bot" && store.detail?.id === id) store.detail.draft = null;
    store.problem = "";
    changed();
  } catch (error) {
    problem(error);
  }
}

/** @param {string} id @returns {Promise<void>} */
export async function take(id) {
  if (taking.has(id)) return;
  taking.add(id);
  await move(id, api.take, "owner");
  taking.delete(id);
}

/** @param {string} id @returns {Promise<void>} */
export const handBack = (id) => move(id, api.handBack, "bot");

/** @param {string} id @returns {Promise<void>} */
export const close = (id) => move(id, api.close, "closed");

/**
 * The owner has touched the composer: that takes the conversation.
 * @param {string} id
 * @returns {void}
 */
export function touched(id) {
  const state = store.conversations.get(id)?.state;
  if (state === "bot" || state === "waiting") void take(id);
}

/**
 * Sends a message until it has reached the server; its id makes sure that it is stored once.
 * @param {string} id
 * @param {{ client_msg_id: string, text: string, suggestion: string | null, template: string | null }} message
 * @returns {Promise<void>}
 */
async function send(id, message) {
  for (;;) {
    try {
      await api.send(id, message);
      return;
    } catch (error) {
      const away = error instanceof api.ApiError && (error.status === 0 || error.status === 503);
      if (!away || !live.running) throw error;
      store.problem = "The server cannot be reached. Your message is sent as soon as it is back.";
      changed();
      await live.retry();
    }
  }
}

/**
 * Sends a message of the owner; its id is kept until the server has it, so that a second try makes no second message.
 * @param {string} id
 * @param {string} text
 * @param {string | null} suggestion
 * @returns {Promise<boolean>} whether the server has it
 */
async function deliver(id, text, suggestion) {
  const composing = composingOf(id);
  if (composing.sending) return false;
  const sentAs = `${suggestion ?? ""}\n${text}`;
  if (composing.sentAs !== sentAs) Object.assign(composing, { sentAs, clientId: api.freshId() });
  composing.sending = true;
  changed();
  try {
    await send(id, { client_msg_id: composing.clientId, text, suggestion, template: composing.template });
    Object.assign(composing, { sentAs: "", clientId: "" });
    setState(id, "owner");
    store.problem = "";
    const detail = store.detail;
    if (detail?.id === id && suggestion && detail.suggestion?.id === suggestion) detail.suggestion = null;
    if (detail?.id === id && !live.isOpen) void read(id);
    return true;
  } catch (error) {
    problem(error);
    return false;
  } finally {
    composing.sending = false;
    changed();
  }
}

/** Sends what is in the composer. @param {string} id @returns {Promise<void>} */
export async function sendComposed(id) {
  const composing = composingOf(id);
  const text = composing.text.trim();
  if (!text || emptySlots(id).length > 0) return;
  stopTyping();
  const before = composing.text;
  if (!(await deliver(id, text, composing.suggestion))) return;
  const rest = composing.text.startsWith(before) ? composing.text.slice(before.length) : composing.text;
  clear(composing);
  if (rest) written(composing, rest);
  changed();
}

/** @param {string} id @param {Suggestion} suggestion @returns {Promise<void>} */
export async function accept(id, suggestion) {
  await deliver(id, suggestion.text, suggestion.id);
}

/** Puts a suggestion's text into the composer. @param {string} id @param {Suggestion} suggestion @returns {void} */
export function edit(id, suggestion) {
  Object.assign(composingOf(id), { text: suggestion.text, suggestion: suggestion.id, offer: null, touched: true });
  changed();
}

/** @param {string} id @param {Suggestion} suggestion @returns {Promise<void>} */
export async function discard(id, suggestion) {
  try {
    await api.discard(id, suggestion.id);
    if (store.detail?.suggestion?.id === suggestion.id) store.detail.suggestion = null;
    changed();
  } catch (error) {
    problem(error);
  }
}

/** Tells the visitor that the owner writes, now and then. @param {string} id @returns {void} */
export function ownTyping(id) {
  const now = Date.now();
  if (typing.id !== id || now - typing.at > TYPING_EVERY_MS) {
    live.typing(id, true);
    Object.assign(typing, { id, at: now });
  }
  clearTimeout(typing.timer);
  typing.timer = setTimeout(stopTyping, TYPING_IDLE_MS);
}

/** @returns {void} */
export function stopTyping() {
  clearTimeout(typing.timer);
  if (typing.id) live.typing(typing.id, false);
  Object.assign(typing, { id: "", at: 0 });
}

/** @returns {Promise<void>} */
export async function signOut() {
  await api.logout().catch(() => null);
  signedOut();
}
