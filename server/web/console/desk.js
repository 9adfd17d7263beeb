// The owner's requests about leads, tickets, actions, hours and notifications.

import { request } from "./api.js";

/** @typedef {import("./types.js").Ticket} Ticket */

/** @param {string} query as in an address @returns {Promise<{ events: import("./types.js").StreamEvent[], head: number }>} */
export const events = (query) => request("GET", `events?${query}`);

/** Makes a visit that counts nowhere. @returns {Promise<{ ticket: string, url: string }>} */
export const stage = () => request("POST", "events/staging", {});

/** @param {string} ticket @returns {Promise<import("./types.js").Trial>} */
export const checkTrial = (ticket) => request("GET", `events/check?ticket=${ticket}`);

/** @returns {Promise<{ leads: import("./types.js").Lead[] }>} */
export const leads = () => request("GET", "leads");

/** @returns {Promise<{ flows: import("./types.js").Flow[], problem: string | null }>} */
export const flows = () => request("GET", "flows");

/** @returns {Promise<{ actions: import("./types.js").Action[], problem: string | null }>} */
export const actions = () => request("GET", "actions");

/** @returns {Promise<{ calls: import("./types.js").Call[] }>} */
export const calls = () => request("GET", "calls");

/**
 * Lets a call be made, or says no to it.
 * @param {string} id
 * @param {boolean} yes
 * @returns {Promise<unknown>}
 */
export const decideCall = (id, yes) => request("POST", `calls/${encodeURIComponent(id)}/${yes ? "approve" : "refuse"}`);

/** @param {string} query as in an address @returns {Promise<{ tickets: Ticket[] }>} */
export const tickets = (query) => request("GET", `tickets${query && "?"}${query}`);

/** @typedef {{ subject: string, summary: string, priority: string, tags: string[], email: string | null }} TicketBody */

/** @param {TicketBody & { conversation: string }} ticket @returns {Promise<unknown>} */
export const openTicket = (ticket) => request("POST", "tickets", ticket);

/** @param {string} id @param {Partial<TicketBody> & { status?: string }} change @returns {Promise<unknown>} */
export const editTicket = (id, change) => request("POST", `tickets/${encodeURIComponent(id)}`, change);

/** @param {string} id @param {string} text @returns {Promise<{ mailed: boolean }>} */
export const replyToTicket = (id, text) => request("POST", `tickets/${encodeURIComponent(id)}/reply`, { text });

/** @param {string} status @returns {Promise<{ reviews: import("./types.js").Review[], waiting: number, problem: string | null }>} */
export const reviews = (status) => request("GET", `reviews?status=${status}`);

/** @param {string} conversation @param {number} place @param {import("./types.js").Rubric} rubric @returns {Promise<unknown>} */
export const scoreCase = (conversation, place, rubric) => request("POST", `reviews/${encodeURIComponent(conversation)}/${place}`, rubric);

/** @param {string} conversation @param {number} place @returns {Promise<unknown>} */
export const reviewDone = (conversation, place) => request("POST", `reviews/${encodeURIComponent(conversation)}/${place}/done`);

/** @returns {Promise<import("./types.js").Hours>} */
export const hours = () => request("GET", "hours");

/** @param {number | null} until null: no longer; 0: until the owner says otherwise @returns {Promise<unknown>} */
export const away = (until) => request("POST", "hours/away", { until });

/** @returns {Promise<import("./types.js").Notifications>} */
export const notifications = () => request("GET", "notifications");

/** @param {string} channel @returns {Promise<unknown>} */
export const testChannel = (channel) => request("POST", "notifications/test", { channel });

/** @typedef {import("./types.js").Gaps} Gaps */

/** @returns {Promise<Gaps>} */
export const gaps = () => request("GET", "gaps");

/** @returns {Promise<Gaps>} */
export const refreshGaps = () => request("POST", "gaps/refresh");

/** @returns {Promise<import("./types.js").GapChanges>} */
export const gapChanges = () => request("GET", "gaps/changes");

/** @returns {Promise<{ suggestions: import("./types.js").AutonomySuggestion[] }>} */
export const autonomy = () => request("GET", "gaps/autonomy");

/**
 * Accepts a proposal with these words, or rejects it; what the gate says, or null.
 * @param {string} id of the proposal, or of a gap that has none
 * @param {{ question: string, answer: string, action: "accept" | "reject", all_the_same: boolean }} words
 * @returns {Promise<import("./types.js").KnowledgeTrial | null>}
 */
export const settleProposal = (id, words) => request("POST", `gaps/proposals/${encodeURIComponent(id)}`, words);
