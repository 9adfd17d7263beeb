// The words, numbers and times that the console shows.

/** @typedef {import("./types.js").State} State */

/** @type {Record<State, string>} */
const STATES = { bot: "Bot", waiting: "Waiting for you", owner: "You", closed: "Closed" };

/** @type {Record<string, string>} */
const ACTIONS = { send: "Sent", hold: "Held", hand_off: "Handed off" };

/** @type {Record<string, string>} */
const REASONS = {
  confident: "Confident",
  small_talk: "Small talk",
  asked_if_human: "Asked if it is a person",
  asked_for_person: "Asked for a person",
  regulated_topic: "Regulated topic",
  do_not_answer: "Kept from the bot",
  money_words: "About money",
  unverified_account: "About an account or order",
  frustration: "Sounds annoyed",
  no_progress: "No progress",
  turn_cap: "Many bot answers in a row",
  off_topic: "Off topic",
  no_passage: "No passage answers",
  low_confidence: "Low confidence",
  competing: "Two answers compete",
  intent_policy: "Set for this intent",
  unsupported: "Unsupported sentence",
  other_language: "Another language",
  guardrail: "Stopped by a guardrail",
  unreadable: "Cannot be read",
  fault: "A fault",
  follow_up: "Follow-up of the night",
};

/**
 * The word for who holds a conversation.
 * @param {State} state
 * @returns {string}
 */
export function stateWord(state) {
  return STATES[state] ?? state;
}

/**
 * The word for what a decision did.
 * @param {string} action
 * @returns {string}
 */
export function actionWord(action) {
  return ACTIONS[action] ?? plain(action);
}

/**
 * The words for a reason; a reason that is new here is shown as it is.
 * @param {string} reason
 * @returns {string}
 */
export function reasonWords(reason) {
  return REASONS[reason] ?? plain(reason);
}

/**
 * An id such as `money_words` as words.
 * @param {string} id
 * @returns {string}
 */
export function plain(id) {
  const words = id.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * The size of a file in the unit that people would use.
 * @param {number} count
 * @returns {string}
 */
export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1_000_000 ? `${Math.round(count / 1000)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

/**
 * What a visitor, who has no name, is called.
 * @param {string} id
 * @returns {string}
 */
export function visitorName(id) {
  return `Visitor ${id.slice(0, 4)}`;
}

/**
 * @param {number} value 0 to 1
 * @returns {string}
 */
export function percent(value) {
  return `${Math.round(value * 100)}%`;
}

/**
 * A number with at most three digits after the point.
 * @param {number} value
 * @returns {string}
 */
export function short(value) {
  return Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : String(value);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/**
 * The hour for today, else the day.
 * @param {number} at milliseconds since 1970
 * @returns {string}
 */
export function timeWords(at) {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : day.format(date);
}

/**
 * @param {number} at milliseconds since 1970
 * @returns {string}
 */
export function fullTime(at) {
  return full.format(new Date(at));
}

/**
 * @param {number} at milliseconds since 1970
 * @returns {string}
 */
export function isoTime(at) {
  return new Date(at).toISOString();
}

/**
 * The address of a page on the web.
 * @param {string} url
 * @returns {string | undefined}
 */
export function webUrl(url) {
  return /^https?:\/\//.test(url) ? url : undefined;
}

/**
 * The address of a cited page, only if it lies on this server.
 * @param {string} url
 * @returns {string | undefined}
 */
export function pageUrl(url) {
  return url.startsWith("/") && !url.startsWith("//") ? url : undefined;
}
