// The scorecard's figures in words: how long, what share of how many and how sure that is, what has changed.

import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./score-types.js").Share} Share */
/** @typedef {import("./score-types.js").Csat} Csat */
/** @typedef {import("./score-types.js").Nps} Nps */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** What stands where nothing is known. */
export const NONE = "–";
/** Answers from which the NPS is shown. */
export const NPS_FROM = 40;

/** @param {number | null} ms @returns {string} a stretch of time in the two units that people would use */
export function span(ms) {
  if (ms === null) return NONE;
  const two = (/** @type {number} */ big, /** @type {string} */ name, /** @type {number} */ small, /** @type {string} */ other) => {
    const rest = Math.round((ms % big) / small);
    const whole = Math.floor(ms / big) + (rest * small >= big ? 1 : 0);
    return rest > 0 && rest * small < big ? `${whole} ${name} ${rest} ${other}` : `${whole} ${name}`;
  };
  if (ms < 10 * SECOND) return `${Math.round(ms / 100) / 10} s`;
  if (ms < MINUTE - SECOND / 2) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return two(MINUTE, "min", SECOND, "s");
  return ms < DAY ? two(HOUR, "h", MINUTE, "min") : two(DAY, "d", HOUR, "h");
}

/** @param {number | null} value @param {number} [digits] @returns {string} */
export const decimal = (value, digits = 1) => (value === null ? NONE : value.toFixed(digits));

/** @param {number} value @returns {string} */
export const whole = (value) => Math.round(value).toLocaleString("en");

/** @param {number | null} value 0 to 1 @returns {string} */
export const part = (value) => (value === null ? NONE : `${Math.round(value * 100)} %`);

/** @param {Share} share @returns {string} how sure it is */
export const sure = (share) => (share.low === null || share.high === null ? "" : `95 %: ${Math.round(share.low * 100)}–${Math.round(share.high * 100)} %`);

/** @param {Share} share @returns {string} as in "75 %, 30 of 40" */
export const shareWords = (share) => (share.share === null ? `${NONE}, none of 0` : `${part(share.share)}, ${whole(share.hits)} of ${whole(share.of)}`);

/** @param {Csat} csat @returns {string} */
export const csatWords = (csat) => (csat.n === 0 ? NONE : `${decimal(csat.mean)} (n ${whole(csat.n)})`);

/** @param {Nps} nps @returns {string} */
export const npsWords = (nps) => (nps.score === null ? `${NONE} (n ${whole(nps.n)}, shown from ${NPS_FROM})` : `${Math.round(nps.score)} (n ${whole(nps.n)})`);

/** @param {number | null} value @param {string} currency @returns {string} */
export function money(value, currency) {
  if (value === null) return NONE;
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency, maximumFractionDigits: 0 }).format(value);
  } catch {
    return `${whole(value)} ${currency}`;
  }
}

/**
 * How far a figure is from the one of the period before.
 * @param {number | null} now
 * @param {number | null} before
 * @param {(distance: number) => string} words of the distance without its sign
 * @returns {string} empty where one is not known
 */
export function change(now, before, words) {
  if (now === null || before === null) return "";
  const said = words(Math.abs(now - before));
  if (said === words(0)) return "as before";
  return `${now > before ? "up" : "down"} ${said} from the period before`;
}

/** @param {number} distance of two shares @returns {string} */
export const points = (distance) => (Math.round(distance * 100) === 1 ? "1 point" : `${Math.round(distance * 100)} points`);

/**
 * One figure with what it stands on.
 * @param {{ label: string, value: string, notes: string[], wide?: boolean }} props
 * @returns {VNode}
 */
export function Figure({ label, value, notes, wide = false }) {
  return html`<div class="figure ${wide ? "wide" : ""}"><dt>${label}</dt><dd><strong>${value}</strong>
    ${notes.filter(Boolean).map((note) => html`<small key=${note}>${note}</small>`)}</dd></div>`;
}

/** How many of a currency's smallest units make one of it. @param {string} currency @returns {number} */
export function units(currency) {
  try {
    const { maximumFractionDigits } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
    return 10 ** (maximumFractionDigits ?? 2);
  } catch {
    return 100;
  }
}
