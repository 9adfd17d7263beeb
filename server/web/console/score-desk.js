// The owner's requests about the scorecard.

import { request } from "./api.js";

/** @typedef {import("./score-types.js").Assumptions} Assumptions */
/** @typedef {import("./score-types.js").Item} Item */

/** @param {string} query as in an address @returns {Promise<import("./score-types.js").Scorecard>} */
export const scorecard = (query) => request("GET", `scorecard?${query}`);

/** @param {Assumptions} assumptions @returns {Promise<Assumptions>} */
export const assume = (assumptions) => request("POST", "scorecard/assumptions", assumptions);

/** @returns {Promise<{ items: Item[] }>} */
export const items = () => request("GET", "scorecard/items");

/** @param {{ week: string, done: boolean } | { week: string, text: string, measure: string }} change @returns {Promise<{ items: Item[] }>} */
export const changeItem = (change) => request("POST", "scorecard/items", change);

/** @returns {Promise<{ to: string[] }>} */
export const mailNow = () => request("POST", "scorecard/mail");
