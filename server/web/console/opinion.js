// What the visitor thinks of a chat, and what the owner makes of it: stars, words, and the rubric.

import * as api from "./api.js";
import * as desk from "./desk.js";
import { When } from "./sheet.js";
import { changed, ongoingOf, store } from "./store.js";
import { doOne } from "./work.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Rubric} Rubric */
/** @typedef {import("./types.js").Survey} Survey */
/** @typedef {import("./store.js").Detail} Detail */

/** What is judged, and what its three scores mean. @type {[("clarity" | "correctness" | "empathy"), string, string[]][]} */
const PARTS = [["clarity", "Clarity", ["Confusing", "Understandable", "Clear"]], ["correctness", "Correctness", ["Wrong", "Partly right", "Right"]],
  ["empathy", "Empathy", ["Cold", "Polite", "Kind"]]];
/** @type {Record<string, string>} */
const UNSAID = { open: "asked, no answer yet", declined: "did not want to say", expired: "asked, never answered" };

const work = { open: true, busy: "", said: "", problem: "" };

/**
 * A rating as stars that are read out in words.
 * @param {{ score: number, scale: number }} props
 * @returns {VNode}
 */
export function Stars({ score, scale }) {
  const low = scale === 3 ? score === 1 : score <= 2;
  const words = `Rated ${score} of ${scale}`;
  return html`<span class="stars ${low ? "low" : ""}" title=${words}><span aria-hidden="true">${"★".repeat(score)}${"☆".repeat(Math.max(0, scale - score))}</span><span class="sr">${words}</span></span>`;
}

/** @param {Rubric} rubric @returns {string} */
export const rubricWords = (rubric) => PARTS.map(([part, title, words]) => `${title}: ${words[rubric[part] - 1].toLowerCase()}`).join(", ");

/**
 * @param {{ start: Rubric | null, busy: boolean, keep: (rubric: Rubric) => void }} props
 * @returns {VNode}
 */
export function RubricForm({ start, busy, keep }) {
  const [draft, put] = useState({ clarity: 0, correctness: 0, empathy: 0, note: "", ...start });
  const whole = PARTS.every(([part]) => draft[part] > 0);
  const same = start !== null && PARTS.every(([part]) => draft[part] === start[part]) && draft.note.trim() === start.note;
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (whole) keep({ ...draft, note: draft.note.trim() });
  };
  return html`<form class="editor rubric" aria-label="How it was answered" onSubmit=${onSubmit}>
    ${PARTS.map(([part, title, words]) => html`<fieldset key=${part}><legend>${title}</legend>
      ${words.map((word, n) => html`<label key=${word}><input type="radio" name=${part} value=${n + 1} checked=${draft[part] === n + 1}
        onChange=${() => put((before) => ({ ...before, [part]: n + 1 }))} /> ${word}</label>`)}</fieldset>`)}
    <label class="field"><span>A note to yourself</span><textarea name="note" rows="2" maxlength="1000" value=${draft.note}
      onInput=${(/** @type {{ target: HTMLTextAreaElement }} */ event) => put((before) => ({ ...before, note: event.target.value }))}></textarea></label>
    <p class="buttons"><button class="keep" disabled=${busy || !whole || same}>${same ? "Saved" : "Save the scores"}</button></p>
  </form>`;
}

/** @param {{ survey: Survey, many: boolean }} props @returns {VNode} */
function Said({ survey, many }) {
  const { kind, score, scale, status, comment } = survey;
  const title = kind === "csat" ? "Rating" : "Would recommend";
  return html`<div class="opinion"><dt>${title}${many && `, chat ${survey.case}`}</dt>
    <dd>${status !== "answered" || score === null ? html`<span class="faint">${UNSAID[status] ?? status}</span>`
      : kind === "csat" ? html`<${Stars} score=${score} scale=${scale} />` : `${score} of 10`}
      ${comment && html` <q dir="auto">${comment}</q>`} <${When} at=${survey.answered_at ?? survey.asked_at} /></dd></div>`;
}

/** @param {Detail} detail @param {Rubric} rubric @returns {Promise<void>} */
async function keep(detail, rubric) {
  const done = await doOne(work, "rubric", async () => {
    await desk.scoreCase(detail.id, detail.ongoing?.case ?? 0, rubric);
    const opened = await api.conversation(detail.id);
    if (store.detail === detail) detail.ongoing = ongoingOf(opened);
  });
  store.problem = work.problem;
  if (done) store.announcement = "The scores are saved.";
  changed();
}

/** What both sides think of the open conversation. @param {{ detail: Detail }} props @returns {VNode | null} */
export function Opinion({ detail }) {
  if (!detail.ongoing || detail.making) return null;
  const { surveys, case: place, rubric } = detail.ongoing;
  const closed = store.conversations.get(detail.id)?.state === "closed";
  if (surveys.length === 0 && !(closed && place > 0)) return null;
  const many = surveys.some((one) => one.case !== surveys[0].case);
  return html`<section class="ongoing opinions" aria-label="What was thought of it">
    ${surveys.length > 0 && html`<dl class="facts">${surveys.map((one) => html`<${Said} key=${`${one.case} ${one.kind}`} survey=${one} many=${many} />`)}</dl>`}
    ${closed && place > 0 && html`<details class="judge"><summary>${rubric ? rubricWords(rubric) : "Score how it was answered"}</summary>
      <${RubricForm} key=${`${detail.id} ${place} ${JSON.stringify(rubric)}`} start=${rubric} busy=${work.busy !== ""} keep=${(/** @type {Rubric} */ one) => void keep(detail, one)} /></details>`}
  </section>`;
}
