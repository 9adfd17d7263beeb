// The page "Reviews": chats that deserve a second look, the rubric for each, and those that are done.

import * as desk from "./desk.js";
import { plain, visitorName } from "./format.js";
import { RubricForm, rubricWords, Stars } from "./opinion.js";
import { Mistake, Sheet, When } from "./sheet.js";
import { changed } from "./store.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Review} Review */
/** @typedef {import("./types.js").Rubric} Rubric */

/** @type {Record<string, string>} */
const WHY = { csat: "Rated low", nps: "Would not recommend", frustration: "Ended annoyed" };

/** @returns {Promise<void>} */
async function fill() {
  const { reviews, waiting, problem } = await desk.reviews(page.status);
  Object.assign(page, { reviews, waiting, mistake: problem });
}

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", fill);

const page = register("reviews", () => ({ reviews: /** @type {Review[] | null} */ (null), waiting: 0, status: "open", mistake: /** @type {string | null} */ (null) }), read);

/** @returns {number} cases that wait for a second look, as far as they are known */
export const waitingReviews = () => page.waiting;

/** How long news is gathered before what waits is read again. */
const SOON_MS = 300;
let timer = 0;

/** Something was rated: reads soon what waits. @returns {void} */
export function readReviews() {
  clearTimeout(timer);
  timer = setTimeout(() => void (page.busy || fill().then(changed, () => {})), SOON_MS); // the next news reads again
}

/** @param {Review} one @param {Rubric} rubric @returns {Promise<boolean>} */
const keep = (one, rubric) => doOne(page, "keep", async () => {
  await desk.scoreCase(one.conversation, one.case, rubric);
  await fill();
  page.said = "The scores are saved.";
});

/** @param {Review} one @returns {Promise<boolean>} */
const done = (one) => doOne(page, "done", async () => {
  await desk.reviewDone(one.conversation, one.case);
  await fill();
  page.said = "Done with it.";
});

/** @param {string} status @returns {void} */
function choose(status) {
  Object.assign(page, { status, reviews: null });
  void read();
}

/** @param {{ one: Review }} props @returns {VNode} */
function One({ one }) {
  const open = one.status === "open";
  const busy = page.busy !== "";
  return html`<li class="finding review" data-conversation=${one.conversation}>
    <p><a href=${`#/c/${one.conversation}`}><strong>${visitorName(one.conversation)}</strong></a>
      ${one.why && html`<span class="state-chip bad">${WHY[one.why] ?? plain(one.why)}</span>`}
      ${one.csat !== null && one.scale !== null && html`<${Stars} score=${one.csat} scale=${one.scale} />`}
      ${one.nps !== null && html`<span class="faint">Would recommend: ${one.nps} of 10</span>`}
      ${one.tag && html`<span class="tag">${plain(one.tag)}</span>`}
      <${When} at=${one.at} /></p>
    ${one.comment && html`<blockquote dir="auto">${one.comment}</blockquote>`}
    ${one.rubric && html`<p class="faint">${rubricWords(one.rubric)}${one.rubric.note && html`. <span dir="auto">${one.rubric.note}</span>`}</p>`}
    <details class="judge"><summary>${one.rubric ? "Change the scores" : "Score how it was answered"}</summary>
      <${RubricForm} key=${JSON.stringify(one.rubric)} start=${one.rubric} busy=${busy} keep=${(/** @type {Rubric} */ rubric) => void keep(one, rubric)} /></details>
    ${open && html`<p class="buttons"><button class="done" disabled=${busy} onClick=${() => void done(one)}>Done<span class="sr"> with ${visitorName(one.conversation)}</span></button></p>`}
  </li>`;
}

/** @returns {VNode} */
export function Reviews() {
  const { reviews, status } = page;
  const empty = status === "open" ? "Nothing waits. Chats that were rated low come here." : "Nothing is done yet.";
  return html`<${Sheet} page=${page} title="Reviews" read=${read}>
    <${Mistake} problem=${page.mistake} />
    <section aria-labelledby="reviews-title">
      <h3 id="reviews-title">Chats that deserve a second look</h3>
      <p class="note">Rated 1 or 2 of 5, recommended with 6 of 10 at most, or ended annoyed without a rating. What visitors are asked stands in prompts/surveys.toml.</p>
      <p class="switch buttons" role="group" aria-label="Which">${[["open", "Waiting"], ["done", "Done"]].map(([own, label]) =>
        html`<button key=${own} aria-pressed=${status === own} disabled=${page.busy !== ""} onClick=${() => choose(own)}>${label}</button>`)}</p>
      ${reviews === null || reviews.length === 0
        ? html`<p class="empty">${reviews === null ? "Loading…" : empty}</p>`
        : html`<ul class="findings">${reviews.map((one) => html`<${One} key=${`${one.conversation} ${one.case}`} one=${one} />`)}</ul>`}
    </section>
  <//>`;
}
