// What the page "Scorecard" knows: the period, the filters, the figures, and how each of them is changed.

import * as desk from "./score-desk.js";
import { doOne, register } from "./work.js";

/** @typedef {import("./score-types.js").Scorecard} Scorecard */
/** @typedef {import("./score-types.js").Item} Item */
/** @typedef {import("./score-types.js").Assumptions} Assumptions */

const DAY_MS = 24 * 60 * 60 * 1000;

/** Name and days of each period; `own` is between two dates. @type {[string, string, number][]} */
export const PERIODS = [["week", "Last 7 days", 7], ["month", "Last 4 weeks", 28], ["quarter", "Last quarter", 91], ["own", "Own dates", 0]];

/** @param {number} at @returns {string} the day as an input of dates has it */
const day = (at) => new Date(at).toISOString().slice(0, 10);

/** @returns {{ from: number, to: number }} the chosen period: whole days (UTC), today with them */
export function period() {
  const days = PERIODS.find(([name]) => name === page.span)?.[2] ?? 7;
  if (page.span === "own") return { from: Date.parse(page.first), to: Date.parse(page.last) + DAY_MS };
  const to = Math.floor(Date.now() / DAY_MS + 1) * DAY_MS;
  return { from: to - days * DAY_MS, to };
}

/** @returns {string} */
function query() {
  const { from, to } = period();
  const filters = Object.entries(page.filter).filter(([, value]) => value !== "");
  return String(new URLSearchParams([["from", String(from)], ["to", String(to)], ...filters]));
}

/** @returns {Promise<void>} */
async function fill() {
  const [card, past] = await Promise.all([desk.scorecard(query()), desk.items()]);
  Object.assign(page, { card, items: past.items });
  // The choices of the filters are those of the whole period.
  if (Object.values(page.filter).every((value) => value === "")) {
    const keys = (/** @type {{ key: string }[]} */ segments) => segments.map((one) => one.key).filter(Boolean);
    page.choices = { tag: keys(card.segments.tag), page: keys(card.segments.page), campaign: keys(card.segments.campaign) };
  }
}

/** Something else was chosen while the figures were on their way. */
let again = false;

/** @returns {Promise<boolean>} */
export async function read() {
  if (page.busy) {
    again = true;
    return false;
  }
  const done = await doOne(page, "read", async () => {
    const { from, to } = period();
    if (!(from < to)) throw new Error("Choose a first day and a last day that does not come before it.");
    await fill();
    page.said = `${page.card?.cases ?? 0} cases.`;
  });
  if (!again) return done;
  again = false;
  return read();
}

const none = { tag: "", page: "", campaign: "" };

export const page = register("scorecard", () => ({
  card: /** @type {Scorecard | null} */ (null),
  items: /** @type {Item[]} */ ([]),
  span: "week",
  first: day(Date.now() - 6 * DAY_MS),
  last: day(Date.now()),
  filter: { ...none },
  choices: /** @type {Record<keyof typeof none, string[]>} */ ({ tag: [], page: [], campaign: [] }),
  editing: "",
}), read);

/** @param {Assumptions} assumptions @returns {Promise<boolean>} */
export const assume = (assumptions) => doOne(page, "assume", async () => {
  await desk.assume(assumptions);
  await fill();
  page.said = "The assumptions are saved.";
});

/** @param {Parameters<typeof desk.changeItem>[0]} change @returns {Promise<boolean>} */
export const changeItem = (change) => doOne(page, "item", async () => {
  await desk.changeItem(change);
  await fill();
  page.editing = "";
  page.said = "The action item is saved.";
});

/** Sends the weekly mail to whom it goes. @returns {Promise<boolean>} */
export const mailNow = () => doOne(page, "mail", async () => {
  const { to } = await desk.mailNow();
  page.said = `The mail of the week goes to ${to.join(", ")}.`;
});
