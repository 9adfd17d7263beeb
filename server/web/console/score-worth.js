// What the chats are worth: from visit to rating, sales that followed, time saved, and every assumption behind it.

import { Bars } from "./charts.js";
import { decimal, Figure, money, part, shareWords, sure, units, whole } from "./figures.js";
import { assume, page } from "./score-page.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./score-types.js").Scorecard} Card */
/** @typedef {import("./score-types.js").Assumptions} Assumptions */

/** @type {Record<string, string>} */
const STEPS = { opened: "Opened the chat", sessions: "Opened the chat", begun: "Wrote", cases: "Wrote", answered: "Got an answer", resolved: "Solved", rated: "Rated it" };

/** Name, label, what it means, and whether it may be left out. @type {[keyof Assumptions, string, string, boolean][]} */
const INPUTS = [
  ["minutes_per_ticket", "Minutes a repeated question costs you", "2 is a usual figure", false],
  ["baseline_handling_minutes", "Minutes a case cost you before", "leave empty until you have measured it", true],
  ["hourly_rate", "Worth of an hour", "in your currency", false],
  ["tool_costs", "What the tools cost a month", "in your currency, prorated to the period", false],
  ["average_order_value", "Worth of an order", "where the purchase does not say its value", true],
  ["baseline_conversion_rate", "Percent who buy without a chat", "leave empty to count assisted purchases instead", true],
  ["attributed_share", "Percent of an assisted purchase that is the chat's", "a guess: start low", false],
];
/** Kept as shares, shown in percent. */
const PERCENT = ["baseline_conversion_rate", "attributed_share"];

/** @param {{ card: Card }} props @returns {VNode} */
function Form({ card }) {
  const shown = (/** @type {keyof Assumptions} */ name) => {
    const value = card.assumptions[name];
    return value === null ? "" : String(PERCENT.includes(name) ? Math.round(Number(value) * 1000) / 10 : value);
  };
  const [fields, write] = useState(() => Object.fromEntries([...INPUTS.map(([name]) => [name, shown(name)]), ["currency", card.assumptions.currency]]));
  const onInput = (/** @type {{ target: HTMLInputElement }} */ event) => write({ ...fields, [event.target.name]: event.target.value });
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const number = (/** @type {string} */ name) => (fields[name].trim() === "" ? null : Number(fields[name]) / (PERCENT.includes(name) ? 100 : 1));
    const values = Object.fromEntries(INPUTS.map(([name]) => [name, number(name)]));
    void assume(/** @type {any} */ ({ ...values, currency: fields.currency.trim().toUpperCase() }));
  };
  return html`<form class="assumptions" aria-labelledby="assumptions-title" onSubmit=${onSubmit}>
    <h4 id="assumptions-title">What this rests on</h4>
    <div class="pair">
      ${INPUTS.map(([name, label, hint, optional]) => html`<label class="field" key=${name}><span>${label}</span>
        <input name=${name} type="number" min="0" max=${PERCENT.includes(name) ? 100 : 1000000} step="any" required=${!optional} value=${fields[name]} onInput=${onInput} /><small>${hint}</small></label>`)}
      <label class="field"><span>Currency</span><input name="currency" required pattern="[A-Za-z]{3}" maxlength="3" value=${fields.currency} onInput=${onInput} /><small>three letters, as EUR</small></label>
    </div>
    <p class="buttons"><button class="primary" disabled=${page.busy !== ""}>Save the assumptions</button></p>
  </form>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
export function Worth({ card }) {
  const { funnel, assist, savings, assumptions: { currency } } = card;
  const name = (/** @type {string} */ step) => STEPS[step] ?? step;
  const shares = funnel.map((one, n) => (n === 0 || funnel[n - 1].n === 0 ? "" : `${part(one.n / funnel[n - 1].n)} of the step before`));
  return html`<section aria-labelledby="worth-title">
    <h3 id="worth-title">What it is worth</h3>
    <${Bars} id="funnel" title="From visit to rating" words=${funnel.map((one) => `${name(one.step)}: ${one.n}`).join(", ")}
      bars=${funnel.map((one, n) => ({ label: name(one.step), value: one.n, said: [whole(one.n), shares[n]].filter(Boolean).join(" · ") }))}
      head=${["Step", "Number", "Share"]} rows=${funnel.map((one, n) => [name(one.step), one.n, shares[n]])} />
    <dl class="figure-grid">
      <${Figure} label="Bought within 2 hours" value=${part(assist.conversions.share)} notes=${[shareWords(assist.conversions), sure(assist.conversions)]} />
      <${Figure} label="Worth of it" value=${assist.values.length === 0 ? "–" : assist.values.map((one) => money(one.value / units(one.currency), one.currency)).join(", ")} notes=${["as your shop has told it"]} />
      <${Figure} label="Leads" value=${whole(assist.leads)} notes=${[]} />
      <${Figure} label="Hours saved" value=${decimal(savings.hours_saved)} notes=${["answered by the bot and solved without a person × minutes a question"]} />
      <${Figure} label="Minutes saved in all" value=${savings.minutes_saved === null ? "–" : whole(savings.minutes_saved)} notes=${[card.assumptions.baseline_handling_minutes === null ? "more once you know what a case cost before" : "faster answers of yours included"]} />
      <${Figure} label="Support cost saved" value=${money(savings.cost_saved, currency)} notes=${[]} />
      <${Figure} label="Sales that it brought" value=${money(savings.uplift, currency)} notes=${[]} />
      <${Figure} label="Return on what it costs" value=${savings.roi === null ? "–" : `${decimal(savings.roi, 1)} ×`} notes=${[savings.roi === null ? "needs the tool costs" : "(sales + savings − costs) ÷ costs"]} />
    </dl>
    <${Form} key=${JSON.stringify(card.assumptions)} card=${card} />
  </section>`;
}
