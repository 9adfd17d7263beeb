// What the console knows: the conversations, the open one, and how each frame changes them.

import { reasonWords, visitorName } from "./format.js";
import { offer } from "./offer.js";

/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Citation} Citation */
/** @typedef {import("./types.js").Suggestion} Suggestion */
/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").LiveDraft} LiveDraft */
/** @typedef {import("./types.js").DraftFrame} DraftFrame */
/** @typedef {import("./types.js").Opened} Opened */
/** @typedef {import("./types.js").Named} Named */
/** @typedef {import("./types.js").Reading} Reading */
/** @typedef {import("./types.js").Frame} Frame */

/**
 * The open conversation.
 * @typedef {object} Detail
 * @property {string} id
 * @property {boolean} loading
 * @property {string | null} failed why it could not be read
 * @property {Message[]} messages
 * @property {Suggestion | null} suggestion
 * @property {string[] | null} summary what was asked, what was tried, why a person is asked for
 * @property {Decision | null} decision
 * @property {LiveDraft | null} draft
 * @property {Reading[]} readings what the visitor's messages are about, in order
 * @property {Named[]} named what the visitor has named, the newest first
 * @property {Ongoing | null} ongoing what goes on beside the messages
 * @property {boolean} making a ticket is being written
 * @property {boolean} typing the visitor writes
 * @property {Frame[]} early frames that came while it was being read
 */

/** @typedef {Required<Pick<Opened, "task" | "collected" | "calls" | "ticket" | "promise" | "verified" | "surveys" | "case" | "rubric">>} Ongoing */

/**
 * What the owner is writing in one conversation.
 * @typedef {object} Composing
 * @property {string} text
 * @property {string | null} suggestion the suggestion that the text came from
 * @property {Suggestion | null} offer the suggestion that was put into the empty box, while its words are unchanged
 * @property {boolean} touched the owner has written here since the last message was sent
 * @property {string} clientId kept until the server has the message
 * @property {string} sentAs what `clientId` was made for
 * @property {boolean} sending
 * @property {string | null} template the saved reply that the text began with
 * @property {string[]} slots of chosen saved replies that nothing filled
 */

/**
 * @typedef {object} Store
 * @property {"loading" | "setup" | "signin" | "main" | "failed"} view
 * @property {import("./types.js").Me | null} me
 * @property {"connecting" | "open" | "lost"} link
 * @property {boolean} listed the list has been read
 * @property {Map<string, Summary>} conversations
 * @property {Detail | null} detail
 * @property {Map<string, Composing>} composing
 * @property {string} announcement for screen readers
 * @property {string} problem the newest problem, empty for none
 * @property {Set<() => void>} listeners
 * @property {number} typingTimer
 */

/** @returns {Store} */
function empty() {
  return {
    view: "loading", me: null, link: "connecting", listed: false, conversations: new Map(), detail: null,
    composing: new Map(), announcement: "", problem: "", listeners: new Set(), typingTimer: 0,
  };
}

/** @type {Store} */
export const store = empty();

/** Shows what has changed. @returns {void} */
export const changed = () => store.listeners.forEach((listener) => listener());

/** Forgets everything of the owner who has signed out. @returns {void} */
export function forget() {
  const { listeners } = store;
  Object.assign(store, empty(), { listeners });
}

/** @returns {Summary[]} those that wait first, then the newest */
export function sorted() {
  const rank = (/** @type {Summary} */ one) => (one.state === "waiting" ? 0 : 1);
  return [...store.conversations.values()].sort((a, b) => rank(a) - rank(b) || b.updated_at - a.updated_at);
}

/** @returns {number} */
export const waitingCount = () => sorted().filter((one) => one.state === "waiting").length;

/**
 * @param {string} id
 * @returns {Composing}
 */
export function composingOf(id) {
  let composing = store.composing.get(id);
  if (!composing) {
    composing = { text: "", suggestion: null, offer: null, touched: false, clientId: "", sentAs: "", sending: false, template: null, slots: [] };
    store.composing.set(id, composing);
  }
  return composing;
}

/**
 * Takes in one conversation's summary; says so when it begins to wait.
 * @param {Summary} summary
 * @returns {void}
 */
export function putSummary(summary) {
  const before = store.conversations.get(summary.id);
  if (before && (summary.generation < before.generation || summary.head < before.head)) return; // late news
  store.conversations.set(summary.id, before ? furthest(summary, before) : summary);
  if (store.listed && summary.state === "waiting" && before?.state !== "waiting") {
    const reason = summary.reason ? `: ${reasonWords(summary.reason)}` : "";
    store.announcement = `${visitorName(summary.id)} waits for you${reason}.`;
  }
}

/**
 * Marks never go back.
 * @param {Summary} summary
 * @param {{ visitor_delivered: number, visitor_read: number }} known
 * @returns {Summary}
 */
function furthest(summary, known) {
  return {
    ...summary,
    visitor_delivered: Math.max(summary.visitor_delivered, known.visitor_delivered),
    visitor_read: Math.max(summary.visitor_read, known.visitor_read),
  };
}

/** The connection is gone: what only lasts while it holds is no longer known. @returns {void} */
export function lostTouch() {
  if (store.link === "open") store.link = "lost";
  if (!store.detail) return;
  putTyping(store.detail, false, 0);
}

/**
 * Takes in the whole list; what came live since it was asked for is newer and stays.
 * @param {Summary[]} list
 * @param {Map<string, Summary>} asked the list when it was asked for
 * @returns {void}
 */
export function putList(list, asked) {
  const live = [...store.conversations].filter(([id, one]) => asked.get(id) !== one);
  store.conversations = new Map(list.map((one) => [one.id, one]));
  for (const [id, one] of live) store.conversations.set(id, one);
  store.listed = true;
}

/**
 * Begins to read a conversation; what is shown of the same one stays until the answer is here.
 * @param {string} id
 * @returns {Detail}
 */
export function openDetail(id) {
  const same = store.detail?.id === id ? store.detail : null;
  store.detail = {
    id, loading: true, failed: null, messages: same?.messages ?? [], suggestion: same?.suggestion ?? null, summary: same?.summary ?? null,
    readings: same?.readings ?? [], named: same?.named ?? [], decision: same?.decision ?? null, draft: same?.draft ?? null,
    ongoing: same?.ongoing ?? null, making: same?.making ?? false, typing: same?.typing ?? false, early: [],
  };
  return store.detail;
}

/**
 * What goes on beside the messages.
 * @param {Opened} opened
 * @returns {Ongoing}
 */
export function ongoingOf({ task = null, collected = [], calls = [], ticket = null, promise = null, verified = null, surveys = [], case: place = 0, rubric = null }) {
  return { task, collected, calls, ticket, promise, verified, surveys, case: place, rubric };
}

/**
 * Takes in what the server answered for the open conversation, then what came live meanwhile.
 * @param {Detail} detail
 * @param {Opened} opened
 * @returns {void}
 */
export function fillDetail(detail, opened) {
  detail.messages = opened.messages; // what came live meanwhile is among the early frames
  detail.suggestion = opened.suggestion;
  offerTo(detail.id, opened.suggestion, opened.conversation.state);
  detail.summary = opened.summary;
  detail.decision = opened.decision;
  detail.readings = opened.readings;
  detail.named = opened.named;
  detail.ongoing = ongoingOf(opened);
  detail.draft = opened.draft && !detail.messages.some((one) => one.draft_id === opened.draft?.draft_id)
    ? { pieces: [], tail: "", citations: [], confidence: null, ...opened.draft }
    : null;
  detail.loading = false;
  const early = detail.early;
  detail.early = [];
  const drafts = early.filter((one) => one.type === "draft");
  if (detail.draft) cutOverlap(detail.draft, drafts);
  for (const frame of early) {
    if (frame.type === "message") joinMessage(detail, frame);
    applyToDetail(detail, frame);
  }
}

/**
 * Puts a suggestion into the composer where nothing stands in its way, and says so.
 * @param {string} id
 * @param {Suggestion | null} suggestion
 * @param {import("./types.js").State | undefined} state
 * @returns {void}
 */
function offerTo(id, suggestion, state) {
  if (offer(composingOf(id), suggestion, state)) store.announcement = "A suggested reply stands in the box.";
}

/**
 * Adds a message that the answer may lack, whatever is missing before it.
 * @param {Detail} detail
 * @param {Message} message
 * @returns {void}
 */
function joinMessage(detail, message) {
  if (detail.messages.some((one) => one.seq === message.seq)) return;
  if (message.draft_id && detail.draft?.draft_id === message.draft_id) detail.draft = null;
  detail.messages = detail.messages.concat(message).sort((a, b) => a.seq - b.seq);
}

/**
 * The answer may hold what came live before it: takes that off again, so that nothing is shown twice.
 * @param {LiveDraft} draft from the answer
 * @param {DraftFrame[]} frames that came live meanwhile
 * @returns {void}
 */
function cutOverlap(draft, frames) {
  const own = frames.filter((one) => one.draft_id === draft.draft_id);
  const pieces = own.flatMap((one) => (one.piece ? [one.piece] : []));
  let same = Math.min(pieces.length, draft.pieces.length);
  const ends = (/** @type {number} */ n) => draft.pieces.slice(-n).every((one, i) => one.text === pieces[i]?.text);
  while (same > 0 && !ends(same)) same -= 1;
  if (same > 0) draft.pieces = draft.pieces.slice(0, -same);
  const tokens = own.filter((one) => one.token).map((one) => one.token).join("");
  let tail = Math.min(tokens.length, draft.tail.length);
  while (tail > 0 && !draft.tail.endsWith(tokens.slice(0, tail))) tail -= 1;
  if (pieces.length === 0 && tail > 0) draft.tail = draft.tail.slice(0, -tail);
}

/**
 * @param {Frame} frame
 * @returns {boolean} true when messages are missing and the conversation has to be read again
 */
export function applyFrame(frame) {
  if (frame.type === "conversation") {
    putSummary(frame.conversation);
    return false;
  }
  if (frame.type === "receipts") {
    const summary = store.conversations.get(frame.conversation);
    if (summary) store.conversations.set(frame.conversation, furthest(summary, frame));
    return false;
  }
  if (frame.type === "error") {
    store.problem = frame.message || frame.code;
    return false;
  }
  const detail = store.detail;
  if (!detail || !("conversation" in frame) || frame.conversation !== detail.id) return false;
  if (detail.loading) {
    detail.early.push(frame);
    if (frame.type !== "message") return false;
  }
  return applyToDetail(detail, frame);
}

/**
 * @param {Detail} detail
 * @param {Frame} frame
 * @returns {boolean} true when messages are missing
 */
function applyToDetail(detail, frame) {
  switch (frame.type) {
    case "message": return putMessage(detail, frame);
    case "draft": putDraft(detail, frame); break;
    case "decision": detail.decision = frame.decision; break;
    case "reading": putReading(detail, frame); break;
    case "suggestion":
      detail.suggestion = frame.suggestion;
      offerTo(detail.id, frame.suggestion, store.conversations.get(detail.id)?.state);
      break;
    case "typing": putTyping(detail, frame.on, frame.expires_ms); break;
    default: break;
  }
  return false;
}

/**
 * @param {Detail} detail
 * @param {Message} message
 * @returns {boolean} true when messages before it are missing
 */
function putMessage(detail, message) {
  if (message.draft_id && detail.draft?.draft_id === message.draft_id) detail.draft = null;
  const last = detail.messages.at(-1)?.seq ?? 0;
  if (message.seq <= last) return false;
  if (message.from === "visitor") putTyping(detail, false, 0);
  if (message.seq > last + 1 && !detail.loading) return true;
  if (message.seq === last + 1) detail.messages = detail.messages.concat(message);
  return false;
}

/**
 * @param {Detail} detail
 * @param {import("./types.js").ReadingFrame} frame
 * @returns {void}
 */
function putReading(detail, { seq, reading, named }) {
  detail.named = named;
  const others = detail.readings.filter((one) => one.seq !== seq);
  detail.readings = (reading ? others.concat(reading) : others).sort((a, b) => a.seq - b.seq);
}

/**
 * @param {Detail} detail
 * @param {DraftFrame} frame
 * @returns {void}
 */
function putDraft(detail, frame) {
  if (frame.phase === "stop") {
    if (detail.draft?.draft_id === frame.draft_id) detail.draft = null;
    return;
  }
  if (detail.messages.some((one) => one.draft_id === frame.draft_id)) return;
  if (frame.phase === "start" || detail.draft?.draft_id !== frame.draft_id) {
    detail.draft = { draft_id: frame.draft_id, pieces: [], tail: "", citations: [], confidence: null };
  }
  const draft = detail.draft;
  if (!draft) return;
  if (frame.piece) {
    draft.pieces = draft.pieces.concat(frame.piece);
    draft.tail = "";
  } else if (frame.token) {
    draft.tail += frame.token;
  }
  if (frame.citations?.length) draft.citations = mergeCitations(draft.citations, frame.citations);
  if (typeof frame.confidence === "number") draft.confidence = frame.confidence;
}

/**
 * A number seen again replaces the earlier one.
 * @param {Citation[]} old
 * @param {Citation[]} fresh
 * @returns {Citation[]}
 */
function mergeCitations(old, fresh) {
  const byNumber = new Map(old.concat(fresh).map((one) => [one.number, one]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/**
 * @param {Detail} detail
 * @param {boolean} on
 * @param {number} expires milliseconds
 * @returns {void}
 */
function putTyping(detail, on, expires) {
  clearTimeout(store.typingTimer);
  detail.typing = on;
  if (!on) return;
  store.typingTimer = setTimeout(() => {
    detail.typing = false;
    changed();
  }, Math.min(Math.max(expires, 1000), 30000));
}
