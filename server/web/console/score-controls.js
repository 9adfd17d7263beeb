// The period and the filters of the scorecard, and what stands there while nothing has happened yet.

import { plain } from "./format.js";
import { mailNow, page, PERIODS, read } from "./score-page.js";
import { changed } from "./store.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {{ target: HTMLInputElement }} Changed */

/** @param {Changed} event @returns {void} */
function choose(event) {
  const { name, value } = event.target;
  if (name === "span" || name === "first" || name === "last") page[name] = value;
  else page.filter[/** @type {keyof typeof page.filter} */ (name)] = value;
  changed();
  void read();
}

/** @param {{ name: "tag" | "page" | "campaign", label: string, words?: (key: string) => string }} props @returns {VNode} */
function Filter({ name, label, words = (key) => key }) {
  const chosen = page.filter[name];
  const keys = chosen && !page.choices[name].includes(chosen) ? [chosen, ...page.choices[name]] : page.choices[name];
  return html`<label><span>${label}</span><select name=${name} value=${chosen} onChange=${choose}>
    <option value="">All</option>${keys.map((key) => html`<option key=${key} value=${key}>${words(key)}</option>`)}</select></label>`;
}

/** @returns {VNode} */
export function Controls() {
  const busy = page.busy !== "";
  return html`<form class="search filters controls" aria-label="Period and filters" onSubmit=${(/** @type {SubmitEvent} */ event) => event.preventDefault()}>
    <label><span>Period</span><select name="span" value=${page.span} onChange=${choose}>${PERIODS.map(([name, label]) => html`<option key=${name} value=${name}>${label}</option>`)}</select></label>
    ${page.span === "own" && html`<label><span>First day</span><input type="date" name="first" value=${page.first} max=${page.last} onChange=${choose} /></label>
      <label><span>Last day</span><input type="date" name="last" value=${page.last} min=${page.first} onChange=${choose} /></label>`}
    <${Filter} name="tag" label="Topic" words=${plain} />
    <${Filter} name="page" label="Page" />
    <${Filter} name="campaign" label="Campaign" />
    <div class="buttons">
      <button type="button" onClick=${() => print()}>Print</button>
      <button type="button" class="mail" disabled=${busy} onClick=${() => void mailNow()}>Send the week's mail</button>
    </div>
  </form>
  ${page.said.startsWith("The ") && html`<p class="note done" role="status">${page.said}</p>`}`;
}

/** @param {{ card: import("./score-types.js").Scorecard }} props @returns {VNode} */
export function Empty({ card }) {
  const filtered = Object.values(page.filter).some((value) => value !== "");
  return html`<section class="teach" aria-labelledby="empty-title">
    <h3 id="empty-title">${filtered ? "No case is left by these filters" : "No case in this period yet"}</h3>
    ${!filtered && card.sessions ? html`<p>${card.sessions} ${card.sessions === 1 ? "visit has" : "visits have"} opened the chat, and nobody has written.</p>` : null}
    <p>A case begins with a visitor's first message and ends when somebody says that it is solved: you with Close, the visitor, or a day of silence. As soon as there is one, this page shows:</p>
    <ul class="plain">
      <li>how fast the bot and you reply, and whether speed shows in the ratings,</li>
      <li>what share the bot solves alone, and who comes back within 72 hours,</li>
      <li>ratings, each with the number of answers and a 95 % interval; the NPS from 40 answers on,</li>
      <li>topics, pages and campaigns side by side, what it saves, and one thing to do next.</li>
    </ul>
    <p>To see it move, open <a href="/" target="_blank" rel="noopener">the demo page</a>, ask a question, then close the conversation here. Collect two weeks before you change how you work: they are your baseline.</p>
  </section>`;
}
