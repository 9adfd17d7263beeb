// The questions after a chat: stars, faces or numbers to tap, and room for words. Fetched when there is something to ask.

import { button, el, icon } from "./dom.js";

/** @typedef {import("./frames.js").Survey} Survey */
/**
 * What a question asks of the panel.
 * @typedef {object} Deeds
 * @property {(frame: import("./frames.js").SurveyAnswer) => void} answer
 * @property {() => void} done there is nothing more to ask
 */

const STAR = "M12 3.6l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z";
const ROUND = "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M8.8 9.4v.8M15.2 9.4v.8";
/** Mouths from unhappy to happy. */
const MOUTHS = ["M7.8 17c1.8-3.4 6.6-3.4 8.4 0", "M8.4 16.2c1.6-1.6 5.6-1.6 7.2 0", "M8.5 15.5h7", "M8.4 14.6c1.6 1.7 5.6 1.7 7.2 0",
  "M7.6 13.6h8.8c-.4 4.6-8.4 4.6-8.8 0z"];
const FACES = new Map([[5, MOUTHS], [3, [MOUTHS[1], MOUTHS[2], MOUTHS[4]]]]);
const WORDS = new Map([[5, ["very bad", "bad", "okay", "good", "very good"]], [3, ["bad", "okay", "good"]]]);
const MOST = 1000;

const CSS = `
.survey { padding: 14px 16px 12px; border-top: 1px solid var(--line); overflow-y: auto; max-height: 60%; flex: none; }
.survey .asked { font-weight: 650; text-align: center; overflow-wrap: anywhere; }
.scores { display: flex; justify-content: center; gap: 4px; margin-top: 8px; }
.score { display: grid; place-items: center; width: 48px; height: 48px; border-radius: 12px; color: var(--muted); }
.score svg { width: 34px; height: 34px; stroke-width: 1.5; }
.score:hover { background: var(--soft); }
.score[aria-checked="true"] { color: var(--link); }
.stars .lit svg, .stars:hover .score svg { fill: var(--star); stroke: var(--star-edge); }
.stars .score:hover ~ .score svg { fill: none; stroke: currentColor; }
.faces .score[aria-checked="true"] { background: var(--soft); }
.faces .score[aria-checked="true"] svg { stroke-width: 2; }
.numbers { display: grid; grid-template-columns: repeat(11, minmax(0, 1fr)); gap: 4px; }
.numbers .score { width: auto; height: 40px; border: 1px solid var(--edge); border-radius: 9px; color: var(--text); font-weight: 600; font-variant-numeric: tabular-nums; }
.numbers .score[aria-checked="true"] { background: var(--accent); border-color: var(--accent); color: #fff; }
.ends { display: flex; justify-content: space-between; gap: 12px; margin-top: 4px; font-size: 13px; color: var(--muted); }
.word { margin-top: 2px; min-height: 20px; text-align: center; font-size: 13px; color: var(--muted); }
.survey .more { display: flex; flex-direction: column; gap: 6px; margin-top: 6px; }
.survey .more label { font-size: 14px; }
.survey .more textarea { flex: none; width: 100%; min-height: 64px; resize: vertical; }
.survey .foot { display: flex; justify-content: center; gap: 8px; margin-top: 6px; }
.later { min-height: 40px; padding: 0 14px; border-radius: 10px; color: var(--muted); font-weight: 600; }
.later:hover { background: var(--soft); }
.survey .yes { padding-inline: 26px; text-align: center; }
:host { --star: #f0a818; --star-edge: #96660a; --edge: #94857a; }
@media (prefers-color-scheme: dark) { :host { --star-edge: #f6c65f; } }
@media (max-width: 479px) { .numbers { grid-template-columns: repeat(6, minmax(0, 1fr)); } .numbers .score { height: 44px; } }
@media (max-height: 560px) { .survey { max-height: 75%; } }
`;

let count = 0;

/**
 * What a score says in words.
 * @param {Survey} survey
 * @param {number} score
 * @returns {string}
 */
function wording({ kind, scale }, score) {
  if (kind === "csat") return `${score} of ${scale}, ${WORDS.get(scale)?.[score - 1] ?? ""}`;
  const end = { 0: ", not at all likely", 10: ", extremely likely" }[score] ?? "";
  return `${score} of ${scale}${end}`;
}

export class Questions {
  /** @param {Deeds} deeds @param {ShadowRoot} root */
  constructor(deeds, root) {
    this.deeds = deeds;
    this.node = el("section", "survey", "", { "aria-label": "Your opinion" });
    this.node.hidden = true;
    this.said = el("p", "sr", "", { role: "status" });
    /** what is asked now @type {Survey | null} */
    this.survey = null;
    /** @type {HTMLButtonElement[]} */
    this.scores = [];
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }

  /**
   * Shows what is asked, or nothing. The same question again only shows its newest score: what is being written stays.
   * @param {Survey | null} survey
   */
  show(survey) {
    const same = survey !== null && survey.id === this.survey?.id;
    const had = this.focused();
    const ended = this.survey !== null && !same;
    this.survey = survey;
    if (!same) this.build(survey);
    if (survey?.score != null) this.mark(survey.score);
    if (!had || same) return;
    if (survey) this.focus();
    else if (ended) this.deeds.done();
  }

  /** @returns {boolean} whether the focus is here */
  focused() {
    const root = /** @type {ShadowRoot} */ (this.node.getRootNode());
    return this.node.contains(root.activeElement);
  }

  /** Puts the focus on the score that is chosen, or the first. */
  focus() {
    this.scores.find((one) => one.tabIndex === 0)?.focus({ preventScroll: true });
  }

  /** @param {string} text is read out */
  tell(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  /** @param {Survey | null} survey */
  build(survey) {
    this.node.hidden = survey === null;
    this.scores = [];
    if (!survey) return this.node.replaceChildren();
    const id = `survey-${(count += 1)}`;
    const asked = el("p", "asked", survey.question, { id, dir: "auto" });
    const group = el("div", `scores ${survey.look}`, "", { role: "radiogroup", "aria-labelledby": id });
    const worst = survey.kind === "csat" ? 1 : 0;
    for (let score = worst; score <= survey.scale; score += 1) this.scores.push(this.score(survey, score));
    this.scores[0].tabIndex = 0;
    group.append(...this.scores);
    group.addEventListener("keydown", (event) => this.key(event));
    this.word = el("p", "word", "", { "aria-hidden": "true" });
    this.more = el("form", "more");
    this.more.hidden = true;
    this.foot = el("div", "foot");
    this.foot.append(button("later", "Not now", () => this.decline()));
    this.node.replaceChildren(asked, group, ...(survey.kind === "nps" ? [this.ends()] : [this.word]), this.more, this.foot);
    return undefined;
  }

  /** @returns {HTMLElement} what the two ends of the numbers mean */
  ends() {
    const node = el("p", "ends", "", { "aria-hidden": "true" });
    node.append(el("span", "", "0: not at all likely"), el("span", "", "10: extremely likely"));
    return node;
  }

  /**
   * @param {Survey} survey
   * @param {number} score
   * @returns {HTMLButtonElement}
   */
  score(survey, score) {
    const node = button("score", survey.look === "numbers" ? String(score) : "", () => this.choose(score));
    const attributes = { role: "radio", "aria-checked": "false", tabindex: "-1", "aria-label": wording(survey, score), "data-score": String(score) };
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (survey.look === "stars") node.append(icon(STAR));
    if (survey.look === "faces") node.append(icon(ROUND + (FACES.get(survey.scale)?.[score - 1] ?? "")));
    return node;
  }

  /**
   * The arrows move through the scores; choosing is done with Space or Enter, as it is sent at once.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const at = this.scores.indexOf(/** @type {HTMLButtonElement} */ (event.composedPath()[0]));
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const last = this.scores.length - 1;
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : step ? (at + step + last + 1) % (last + 1) : -1;
    if (at < 0 || to < 0) return;
    event.preventDefault();
    this.reach(to);
    this.scores[to].focus();
  }

  /** Tab comes to this score. @param {number} at */
  reach(at) {
    this.scores.forEach((one, place) => { one.tabIndex = place === at ? 0 : -1; });
  }

  /** The first tap. @param {number} score */
  choose(score) {
    const { survey } = this;
    if (!survey) return;
    this.deeds.answer({ type: "survey_answer", id: survey.id, score, comment: null });
    survey.score = score;
    this.mark(score);
    this.tell(`Thank you: ${wording(survey, score)}. You can add a comment.`);
  }

  /** Shows the chosen score, and room for words. @param {number} score */
  mark(score) {
    const { survey } = this;
    if (!survey) return;
    for (const one of this.scores) {
      const own = Number(one.dataset.score);
      one.setAttribute("aria-checked", String(own === score));
      one.classList.toggle("lit", own <= score);
      if (own === score) this.reach(this.scores.indexOf(one));
    }
    if (this.word) this.word.textContent = wording(survey, score).replace(/^.*?, /, "");
    if (this.more?.hidden) this.invite(survey);
  }

  /** Room for words, and the second tap. @param {Survey} survey */
  invite(survey) {
    const { more, foot } = this;
    if (!more || !foot) return;
    const id = `comment-${count}`;
    const field = el("textarea", "", "", { id, rows: "2", maxlength: String(MOST), dir: "auto" });
    const send = el("button", "yes", "Done", { type: "submit" });
    more.append(el("label", "", `${survey.comment_question} (optional)`, { for: id }), field);
    field.addEventListener("input", () => { send.textContent = field.value.trim() ? "Send" : "Done"; });
    send.addEventListener("click", (event) => {
      event.preventDefault();
      this.finish(field.value.trim());
    });
    foot.replaceChildren(send);
    more.hidden = false;
  }

  /** The second tap. @param {string} comment */
  finish(comment) {
    const { survey } = this;
    if (survey?.score == null) return;
    this.deeds.answer({ type: "survey_answer", id: survey.id, score: survey.score, comment });
    this.tell("Thank you for your feedback.");
    this.end();
  }

  /** @returns {void} */
  decline() {
    const { survey } = this;
    if (!survey) return;
    this.deeds.answer({ type: "survey_decline", id: survey.id });
    this.tell("All right, no question.");
    this.end();
  }

  /** Nothing is asked until the server says so. */
  end() {
    this.show(null);
  }
}
