// The page "Gaps": what visitors asked in vain, entries to accept, what the week's edits changed, and how much to leave to the bot.

import { ApiError } from "./api.js";
import * as desk from "./desk.js";
import { Trial } from "./editor.js";
import { percent, short } from "./format.js";
import { Sheet, When } from "./sheet.js";
import { changed } from "./store.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Gap} Gap */
/** @typedef {import("./types.js").GapChange} GapChange */
/** @typedef {import("./types.js").KnowledgeTrial} KnowledgeTrial */

/**
 * What the owner writes for a gap, and what came of trying it.
 * @typedef {{ question: string, answer: string, trial: KnowledgeTrial | null, stopped: boolean }} Words
 */

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  const [found, { suggestions }] = await Promise.all([desk.gaps(), desk.autonomy()]);
  Object.assign(page, found, { suggestions });
});

const page = register("gaps", () => ({
  gaps: /** @type {Gap[] | null} */ (null), as_of: /** @type {number | null} */ (null),
  suggestions: /** @type {import("./types.js").AutonomySuggestion[]} */ ([]),
  changes: /** @type {import("./types.js").GapChanges | null} */ (null),
  words: /** @type {Record<string, Words>} */ ({}),
}), read);

/** @returns {Promise<boolean>} */
const refresh = () => doOne(page, "refresh", async () => {
  Object.assign(page, await desk.refreshGaps());
  page.said = `${page.gaps?.length ?? 0} gaps.`;
});

/** @returns {Promise<boolean>} */
const replay = () => doOne(page, "replay", async () => {
  page.changes = await desk.gapChanges();
  page.said = `${page.changes.questions} questions were asked again.`;
});

/** The words that stand in a gap's editor. @param {Gap} gap @returns {Words} */
function wordsOf(gap) {
  const { id, label, proposal } = gap;
  page.words[id] ??= { question: proposal?.question ?? label, answer: proposal?.answer ?? "", trial: null, stopped: false };
  return page.words[id];
}

/**
 * Accepts or rejects what stands in a gap's editor.
 * @param {Gap} gap
 * @param {"accept" | "reject"} action
 * @param {boolean} insist
 * @returns {Promise<boolean>}
 */
const settle = (gap, action, insist) => doOne(page, action, async () => {
  const words = wordsOf(gap);
  const { question, answer } = words;
  try {
    const trial = await desk.settleProposal(gap.proposal?.id ?? gap.id, { question, answer, action, all_the_same: insist });
    Object.assign(page, await desk.gaps());
    if (trial) page.words[gap.id] = { question, answer, trial, stopped: false };
    else delete page.words[gap.id];
    page.said = action === "accept" ? "It is written; the next visitor gets the answer in a moment." : "It is not proposed again.";
  } catch (error) {
    if (error instanceof ApiError && error.code === "answers_lost") Object.assign(words, { trial: error.body.trial, stopped: true });
    throw error;
  }
});

/** @param {{ gap: Gap }} props @returns {VNode} */
function Editing({ gap }) {
  const words = wordsOf(gap);
  const { proposal } = gap;
  const busy = page.busy !== "";
  const edited = proposal !== null && (words.question !== proposal.question || words.answer !== proposal.answer);
  const onInput = (/** @type {{ target: HTMLInputElement | HTMLTextAreaElement }} */ event) => {
    words[/** @type {"question" | "answer"} */ (event.target.name)] = event.target.value;
    Object.assign(words, { trial: null, stopped: false });
    changed();
  };
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void settle(gap, "accept", false);
  };
  return html`<form class="editor" aria-label=${`Entry for: ${gap.label}`} onSubmit=${onSubmit}>
    ${proposal
      ? html`<p class="note">Drafted from your own words in ${proposal.from.map((id, n) => html`<a key=${id} href=${`#/c/${id}`}>${n ? ", another conversation" : "this conversation"}</a>`)}. Read it before you accept it.</p>`
      : html`<p class="note">No answer yet: write one. It is drafted for you once a person has answered such a question and the conversation is closed.</p>`}
    ${proposal?.problem && html`<p class="notice">${proposal.problem}</p>`}
    <label class="field"><span>Question</span><input name="question" maxlength="200" required value=${words.question} onInput=${onInput} /></label>
    <label class="field"><span>Answer</span><textarea name="answer" rows="5" maxlength="4000" required spellcheck="true" value=${words.answer} onInput=${onInput}></textarea></label>
    <p class="buttons">
      <button class="primary accept" disabled=${busy}>${page.busy === "accept" ? "Trying…" : edited || !proposal ? "Save edited" : "Accept"}</button>
      ${words.stopped && html`<button type="button" class="insist" disabled=${busy} onClick=${() => void settle(gap, "accept", true)}>Save all the same</button>`}
      <button type="button" class="reject" disabled=${busy} onClick=${() => void settle(gap, "reject", false)}>${proposal ? "Reject" : "Not a gap"}</button>
    </p>
    ${words.trial && html`<${Trial} trial=${words.trial} />`}
  </form>`;
}

/** What became of a gap's proposal. @param {{ gap: Gap }} props @returns {VNode} */
function Settled({ gap }) {
  const words = page.words[gap.id];
  return html`<div class="trial"><p><strong>${gap.proposal?.question}</strong></p>
    <p class="said">${gap.proposal?.answer}</p>
    <p class="note">It stands in from-chats.md; edit it on the page <a href="#/knowledge">Knowledge</a>.</p>
    ${words?.trial && html`<${Trial} trial=${words.trial} />`}</div>`;
}

const CHIPS = /** @type {Record<string, [string, string]>} */ ({
  pending: ["Proposal", "waiting"], accepted: ["In the knowledge", "owner"], rejected: ["Rejected", ""], none: ["No answer yet", ""],
});

/** @param {{ gap: Gap }} props @returns {VNode} */
function One({ gap }) {
  const status = gap.proposal?.status ?? "none";
  const [word, look] = CHIPS[status] ?? CHIPS.none;
  const people = gap.count === 1 ? "1 visitor" : `${gap.count} visitors`;
  return html`<li class="finding gap ${status === "pending" ? "waits" : ""}" data-gap=${gap.id}>
    <h4>${gap.label}</h4>
    <p><span class="state-chip ${look}">${word}</span> <span>asked by ${people}, failure ${percent(gap.failure)}</span></p>
    <details><summary>Questions: ${gap.questions.length}</summary>
      <ul>${gap.questions.map((one) => html`<li key=${`${one.conversation}${one.seq}`}><a href=${`#/c/${one.conversation}`}>${one.text}</a></li>`)}</ul></details>
    ${status === "accepted" ? html`<${Settled} gap=${gap} />` : status !== "rejected" && html`<${Editing} gap=${gap} />`}
  </li>`;
}

/** @returns {VNode} */
function List() {
  const gaps = page.gaps ?? [];
  const open = gaps.filter((one) => !["accepted", "rejected"].includes(one.proposal?.status ?? ""));
  const done = gaps.filter((one) => !open.includes(one));
  return html`<section aria-labelledby="gaps-title">
    <h3 id="gaps-title">What your documents do not answer</h3>
    <p class="note">Questions of the last four weeks that got no answer, a doubtful one, one that you threw away or wrote anew, or one that the visitor rated badly.
      The most asked and worst served come first. They are gathered once a day${page.as_of !== null && html`; last <${When} at=${page.as_of} />`}.</p>
    <p><button class="gather" disabled=${page.busy !== ""} onClick=${() => void refresh()}>${page.busy === "refresh" ? "Gathering…" : "Gather now"}</button></p>
    ${page.gaps === null && html`<p class="empty">Loading…</p>`}
    ${page.gaps !== null && gaps.length === 0 && html`<p class="empty">${page.as_of === null
      ? "Nothing was gathered yet. Press “Gather now” once visitors have asked something."
      : "No gap: every question of the last four weeks was answered, or belonged to a person anyway."}</p>`}
    <ul class="findings">${open.map((one) => html`<${One} key=${one.id} gap=${one} />`)}</ul>
    ${done.length > 0 && html`<h4>Settled</h4><ul class="findings">${done.map((one) => html`<${One} key=${one.id} gap=${one} />`)}</ul>`}
  </section>`;
}

/** @param {{ best: import("./types.js").GapBest | null, when: string }} props @returns {VNode} */
function Best({ best, when }) {
  return html`<p><span class="state-chip">${when}</span> ${best ? html`<code>${best.doc}</code> ${best.heading.join(" › ")} (${short(best.cosine)})` : "nothing near enough"}</p>`;
}

/** @param {{ title: string, items: GapChange[], bad: boolean }} props @returns {VNode | null} */
function Group({ title, items, bad }) {
  if (items.length === 0) return null;
  return html`<details open><summary>${title}: ${items.length}</summary>
    <ul class="findings">${items.map((one) => html`<li key=${one.question} class="finding ${bad ? "loss" : ""}"><p><strong>${one.question}</strong></p>
      <${Best} when="Before" best=${one.before} /><${Best} when="Now" best=${one.after} /></li>`)}</ul></details>`;
}

/** @returns {VNode} */
function Changes() {
  const { changes } = page;
  return html`<section aria-labelledby="changes-title">
    <h3 id="changes-title">What this week's edits changed</h3>
    <p class="note">The visitors' newest questions, at most 200, are asked of the documents of a week ago and of those of now.</p>
    <p><button class="replay" disabled=${page.busy !== ""} onClick=${() => void replay()}>${page.busy === "replay" ? "Asking…" : "Ask again"}</button></p>
    ${changes && (changes.from_version === null
      ? html`<p class="empty">No earlier version is kept: nothing was edited yet.</p>`
      : html`<p role="status">${changes.questions} questions. Version <code>${changes.from_version}</code>${changes.from_at !== null && html` of <${When} at=${changes.from_at} />`} against <code>${changes.to_version}</code>:
          ${changes.better.length} better, ${changes.worse.length} worse, ${changes.unchanged} as before.</p>
        <${Group} title="Worse" items=${changes.worse} bad=${true} /><${Group} title="Better" items=${changes.better} bad=${false} />`)}
  </section>`;
}

/** @returns {VNode} */
function Autonomy() {
  const { suggestions } = page;
  return html`<section aria-labelledby="autonomy-title">
    <h3 id="autonomy-title">How much to leave to the bot</h3>
    ${suggestions.length === 0
      ? html`<p class="empty">The ratings speak for no change. One is suggested when the visitors of one intent are credibly more or less content than all others.</p>`
      : html`<ul class="findings">${suggestions.map((one) => html`<li key=${one.intent} class="finding waits">
          <p><strong>${one.intent}</strong> <span class="state-chip">${one.now} → ${one.suggested}</span></p><p>${one.why}</p>
          <p class="note">To make the change, write into prompts/policy.toml:</p><pre tabindex="0">${one.lines}</pre></li>`)}</ul>`}
  </section>`;
}

/** @returns {VNode} */
export function Gaps() {
  return html`<${Sheet} page=${page} title="Gaps" read=${read}><${List} /><${Changes} /><${Autonomy} /><//>`;
}
