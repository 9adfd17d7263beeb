// The one thing to do this week: why it was chosen, what its figure was and is, and what became of earlier ones.

import { part, whole } from "./figures.js";
import { changeItem, page } from "./score-page.js";
import { changed } from "./store.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./score-types.js").Item} Item */

/** What an item of the owner's own may be measured by. @type {[string, string][]} */
const MEASURES = [["csat", "Share rated good"], ["fast", "Share answered within 60 seconds"], ["contained", "Share solved without a person"], ["reopened", "Share that came back within 72 hours"]];

/** @param {{ hits: number, of: number } | null} counts @returns {string} */
const counted = (counts) => (counts === null ? "not known yet" : counts.of === 0 ? "none yet" : `${part(counts.hits / counts.of)} (${whole(counts.hits)} of ${whole(counts.of)})`);

/** @param {Item} item @returns {string} */
function verdict(item) {
  if (item.verdict === "better") return "Credibly better.";
  if (item.verdict === "worse") return "Credibly worse.";
  return item.after && item.after.of > 0 ? "The difference may be chance." : "";
}

/** @param {{ item: Item }} props @returns {VNode} */
function Effect({ item }) {
  return html`<p class="effect">${item.metric}: <strong>${counted(item.before)}</strong> before, <strong>${counted(item.after)}</strong> since. ${verdict(item)}</p>`;
}

/** @param {{ week: string }} props @returns {VNode} */
function Own({ week }) {
  const [text, write] = useState("");
  const [measure, choose] = useState("csat");
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (text.trim()) void changeItem({ week, text: text.trim(), measure });
  };
  return html`<form class="editor" aria-label="An item of your own" onSubmit=${onSubmit}>
    <label class="field"><span>What you will do instead</span><textarea name="item" rows="2" maxlength="300" required value=${text}
      onInput=${(/** @type {{ target: HTMLTextAreaElement }} */ event) => write(event.target.value)}></textarea></label>
    <label class="field"><span>Measured by</span><select name="measure" value=${measure}
      onChange=${(/** @type {{ target: HTMLSelectElement }} */ event) => choose(event.target.value)}>${MEASURES.map(([name, label]) => html`<option key=${name} value=${name}>${label}</option>`)}</select></label>
    <p class="buttons"><button class="primary" disabled=${page.busy !== "" || !text.trim()}>Put it in its place</button>
      <button type="button" onClick=${() => edit("")}>Leave it</button></p>
  </form>`;
}

/** @param {string} week @returns {void} */
function edit(week) {
  page.editing = week;
  changed();
}

/** @param {{ item: Item | null, items: Item[], week: string }} props @returns {VNode} */
export function ActionItem({ item, items, week }) {
  const past = items.filter((one) => one.week !== item?.week);
  return html`<section class="item-of-week" aria-labelledby="item-title">
    <h3 id="item-title">One thing to do this week</h3>
    ${item === null ? html`<p class="note">Nothing stands out: no topic is rated credibly lower, replies are fast, no reason for hand-offs has grown. A new one is chosen each Monday.</p>
      <p class="buttons"><button class="other" onClick=${() => edit(week)}>Choose something yourself</button></p>
      ${page.editing === week && html`<${Own} week=${week} />`}` : html`<div class="finding waits">
      <p>${item.text} ${item.done_at !== null && html`<span class="state-chip owner">Done</span>`}</p>
      <${Effect} item=${item} />
      <p class="buttons"><button class="done" disabled=${page.busy !== ""} onClick=${() => void changeItem({ week: item.week, done: item.done_at === null })}>${item.done_at === null ? "Mark as done" : "Not done yet"}</button>
        <button class="other" onClick=${() => edit(week)}>Do something else</button></p>
      ${page.editing === week && html`<${Own} week=${week} />`}
    </div>`}
    ${past.length > 0 && html`<details><summary>Earlier weeks</summary><ul class="findings">${past.map((one) => html`<li class="finding" key=${one.week}>
      <p><span class="faint">Week of ${one.week}</span> ${one.text} ${one.done_at !== null && html`<span class="state-chip owner">Done</span>`}</p><${Effect} item=${one} /></li>`)}</ul></details>`}
  </section>`;
}
