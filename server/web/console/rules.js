// The page "Rules": how sure is sure enough, what that brings, and every rule in its order.

import { Flows } from "./flows.js";
import { percent, plain, short } from "./format.js";
import { allow, rulebook } from "./rulebook.js";
import { changed } from "./store.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Rule} Rule */
/** @typedef {import("./types.js").Tuning} Tuning */

/** Words of a rule that stand on the page before the rest is asked for. */
const SHOWN = 4;
/** The slider's place before the owner has chosen. */
const USUAL = 5;
/** The picture's size without its margins. */
const WIDE = 420;
const HIGH = 150;

/** @type {Record<string, string>} */
const ACTIONS = { hand_off: "A person is asked for", hold: "Drafted for you only", say: "A fixed text is said" };
/** @type {Record<string, string>} */
const AUTONOMY = { auto: "Sent when sure enough", draft: "Drafted for you only", off: "A person answers" };

/**
 * The point of the curve that a threshold stands for.
 * @param {Tuning} tuning
 * @returns {{ sent: number, wrong: number }}
 */
function standing(tuning) {
  return tuning.curve.find((point) => point.send_at >= tuning.send_at) ?? { sent: 0, wrong: 0 };
}

/**
 * How many of the answers sent are wrong, for each share of the questions that is answered at once.
 * @param {{ tuning: Tuning }} props
 * @returns {VNode}
 */
function Curve({ tuning }) {
  const top = Math.max(0.1, ...tuning.curve.map((point) => point.wrong));
  const x = (/** @type {number} */ sent) => 44 + sent * WIDE;
  const y = (/** @type {number} */ wrong) => 12 + HIGH - (wrong / top) * HIGH;
  const line = tuning.curve.filter((point) => point.sent > 0).map((point) => `${x(point.sent).toFixed(1)},${y(point.wrong).toFixed(1)}`).join(" ");
  const now = standing(tuning);
  const words = `Share of wrong answers against share of questions answered at once. Now: ${percent(now.sent)} answered at once, ${percent(now.wrong)} of them wrong.`;
  return html`<svg class="curve" viewBox="0 0 ${WIDE + 64} ${HIGH + 52}" role="img" aria-label=${words}>
    ${[0, 0.5, 1].map((part) => html`<g key=${part}>
      <line class="grid" x1=${x(0)} x2=${x(1)} y1=${y(part * top)} y2=${y(part * top)} />
      <text x=${x(0) - 6} y=${y(part * top) + 4} text-anchor="end">${percent(part * top)}</text>
      <text x=${x(part)} y=${HIGH + 28} text-anchor="middle">${percent(part)}</text>
    </g>`)}
    <text class="axis" x=${x(0.5)} y=${HIGH + 46} text-anchor="middle">questions answered at once</text>
    <polyline points=${line} />
    ${now.sent > 0 && html`<circle cx=${x(now.sent)} cy=${y(now.wrong)} r="5" />`}
  </svg>`;
}

/** @param {{ tuning: Tuning }} props @returns {VNode} */
function Sample({ tuning }) {
  const verdicts = tuning.right + tuning.wrong;
  return html`<p class="note">
    ${tuning.sample === "visitors"
      ? `The curve is made of the newest ${tuning.questions} questions that visitors asked.`
      : `Until visitors have asked 50 questions, the curve is made of ${tuning.questions} trials: headings of your documents, asked with their answer there and left out.`}
    ${verdicts === 0
      ? " Send, edit or discard suggestions: the confidence is fitted to what you do with them."
      : ` The confidence is fitted to your verdicts: ${tuning.right} suggestions sent as they were or nearly, ${tuning.wrong} rewritten or discarded.`}
  </p>`;
}

/** The slider, and what comes of it. @param {{ tuning: Tuning, send_at: number }} props @returns {VNode} */
function Sureness({ tuning, send_at }) {
  const chosen = tuning.at_most_wrong === null ? null : Math.round(tuning.at_most_wrong * 100);
  const share = rulebook.share || chosen || USUAL;
  const now = standing(tuning);
  const move = (/** @type {{ target: HTMLInputElement }} */ event) => {
    rulebook.share = Number(event.target.value);
    changed();
  };
  return html`<section aria-labelledby="sure-title">
    <h3 id="sure-title">How sure is sure enough</h3>
    <p>Answers are sent by themselves from confidence <strong>${short(tuning.send_at)}</strong> on${chosen === null ? ", as policy.toml says" : ""}.
      Of 100 questions for which the documents hold something, about <strong>${Math.round(now.sent * 100)}</strong> are then answered at once,
      about <strong>${percent(now.wrong)}</strong> of those wrongly.</p>
    <div class="allow">
      <label for="wrong">At most <output for="wrong">${share}%</output> wrong answers among those sent by themselves</label>
      <input id="wrong" type="range" min="1" max="30" value=${share} disabled=${rulebook.busy !== ""} aria-valuetext=${`${share} percent`}
        onInput=${move} onChange=${(/** @type {{ target: HTMLInputElement }} */ event) => void allow(Number(event.target.value))} />
      <div class="buttons">
        ${chosen === null && html`<button class="primary use" disabled=${rulebook.busy !== ""} onClick=${() => void allow(share)}>Use ${share}%</button>`}
        ${chosen !== null && html`<button class="release" disabled=${rulebook.busy !== ""} onClick=${() => void allow(null)}>Let policy.toml decide (${short(send_at)})</button>`}
      </div>
    </div>
    ${tuning.questions > 0 && html`<${Curve} tuning=${tuning} />`}
    <${Sample} tuning=${tuning} />
  </section>`;
}

/** @param {{ rule: Rule }} props @returns {VNode} */
function When({ rule }) {
  const first = rule.words.slice(0, SHOWN);
  const rest = rule.words.slice(SHOWN);
  const phrases = (/** @type {string[]} */ words) => words.map((one) => html`<code key=${one}>${one}</code> `);
  return html`<div class="when">
    ${rule.intents.length > 0 && html`<p>When the message reads as ${rule.intents.map(plain).join(" or ")} with at least ${short(rule.score)}.</p>`}
    ${rule.frustration !== null && html`<p>When it sounds annoyed: ${short(rule.frustration)} or more of 1.</p>`}
    ${first.length > 0 && html`<p>When a sentence holds ${phrases(first)}${rest.length > 0 ? "or one of these:" : ""}</p>`}
    ${rest.length > 0 && html`<details><summary>${rest.length} more</summary><p>${phrases(rest)}</p></details>`}
    ${rule.unless.length > 0 && html`<details><summary>Exceptions: ${rule.unless.length}</summary><p>${phrases(rule.unless)}</p></details>`}
    ${rule.at_most_words > 0 && html`<p>Only in messages of up to ${rule.at_most_words} words.</p>`}
  </div>`;
}

/** @param {{ rule: Rule }} props @returns {VNode} */
function One({ rule }) {
  return html`<li class="finding">
    <p><strong>${plain(rule.id)}</strong> <span class="state-chip">${ACTIONS[rule.action] ?? plain(rule.action)}</span>
      <span class="faint">policy.toml, line ${rule.line}</span></p>
    <p>${rule.why}</p>
    ${rule.say && html`<p class="faint">The visitor is told: “${rule.say}”</p>`}
    <${When} rule=${rule} />
  </li>`;
}

/** @param {{ rules: import("./types.js").Rules }} props @returns {VNode} */
function Bands({ rules }) {
  const { bands, intents, tuning } = rules;
  return html`<section aria-labelledby="bands-title">
    <h3 id="bands-title">What becomes of a draft</h3>
    <ul class="plain">
      <li>From ${short(tuning.send_at)} on it is sent; from ${short(bands.hold_at)} on it is kept for you as a suggestion; below, a person is asked for.</li>
      <li>When no passage is nearer than ${short(bands.passage_floor)}, nothing is drafted and a person is asked for.</li>
      <li>After ${bands.turn_cap} automatic replies in a row, or ${bands.stalled_cap} without progress, a person is asked for.</li>
    </ul>
    ${intents.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-labelledby="bands-title"><table>
      <thead><tr><th scope="col">Intent</th><th scope="col">What may happen</th><th scope="col">Sent from</th><th scope="col">Held from</th></tr></thead>
      <tbody>${intents.map((one) => html`<tr key=${one.id}><th scope="row">${plain(one.id)}</th><td>${AUTONOMY[one.autonomy] ?? one.autonomy}</td>
        <td>${short(one.send_at ?? tuning.send_at)}</td><td>${short(one.hold_at ?? bands.hold_at)}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;
}

/** What the owner says about the words of replies. @param {{ rules: import("./types.js").Rules }} props @returns {VNode | null} */
function Wording({ rules }) {
  const { guardrails, style } = rules;
  const said = [
    style.sentences !== null && `A reply has at most ${style.sentences} sentences.`,
    style.greeting && `The first answer begins with “${style.greeting}”.`,
    style.closing && `Every answer ends with “${style.closing}”.`,
    style.instructions && `A drafter that writes freely is told: “${style.instructions}”.`,
  ].filter(Boolean);
  if (said.length === 0 && guardrails.length === 0) return null;
  return html`<section aria-labelledby="wording-title">
    <h3 id="wording-title">How drafts are worded</h3>
    <ul class="plain">${said.map((one) => html`<li key=${one}>${one}</li>`)}</ul>
    <ul class="findings">${guardrails.map((one) => html`<li class="finding" key=${one.id}>
      <p><strong>${plain(one.id)}</strong> <span class="state-chip">${ACTIONS[one.action]}</span></p>
      <p>When a sentence of the draft says one of these: ${one.words.map((words) => html`<code key=${words}>${words}</code> `)}</p>
      ${one.unless.length > 0 && html`<p class="faint">Not where it says: ${one.unless.map((words) => html`<code key=${words}>${words}</code> `)}</p>`}
    </li>`)}</ul>
  </section>`;
}

/** @returns {VNode} */
export function Rules() {
  const rules = rulebook.rules;
  return html`<main class="conversation knowledge rulebook" aria-label="Rules">
    <header class="bar head">
      <a class="back" href="#/" aria-label="Back to the list">‹</a>
      <div class="title"><h2 tabindex="-1">Rules</h2></div>
    </header>
    ${rulebook.problem && html`<p class="problem" role="alert">${rulebook.problem}</p>`}
    <div class="thread" tabindex="0" role="region" aria-label="Thresholds and rules">
      ${rules === null ? html`<p class="empty">Loading…</p>` : html`
        <${Sureness} tuning=${rules.tuning} send_at=${rules.bands.send_at} />
        <${Bands} rules=${rules} />
        <${Wording} rules=${rules} />
        <section aria-labelledby="rules-title">
          <h3 id="rules-title">Rules before a draft</h3>
          <p class="note">Tried from top to bottom; the first that matches decides. They stand in prompts/policy.toml.</p>
          <ol class="findings">${rules.rules.map((rule) => html`<${One} key=${rule.id} rule=${rule} />`)}</ol>
        </section>
        ${rulebook.flows && html`<${Flows} told=${rulebook.flows} />`}`}
    </div>
    <p class="sr" aria-live="polite">${rulebook.said}</p>
  </main>`;
}
