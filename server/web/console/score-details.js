// The scorecard's longer tables: what saved replies change, where visitors came from, how good the answers are.

import { Bars, Table } from "./charts.js";
import { csatWords, decimal, part, shareWords, span, whole } from "./figures.js";
import { plain } from "./format.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./score-types.js").Scorecard} Card */
/** @typedef {import("./score-types.js").Segment} Segment */

/** @param {{ card: Card }} props @returns {VNode | null} */
export function Templates({ card }) {
  if (card.templates.length === 0) return null;
  return html`<section aria-labelledby="templates-title">
    <h3 id="templates-title">What saved replies change</h3>
    <${Table} label="Saved replies" head=${["Saved reply", "Cases with it", "Messages", "without it", "Time to solve", "without it", "Cases without it"]}
      rows=${card.templates.map((one) => [card.titles[one.template] ?? "Deleted reply", one.n, decimal(one.turns_mean), decimal(one.without.turns_mean), span(one.resolution_median_ms), span(one.without.resolution_median_ms), one.without.n])} />
    <p class="note">“Without it” are cases of the same topics that a person answered without this reply. It is a comparison, not an experiment.</p>
  </section>`;
}

/** @param {{ title: string, none: string, segments: Segment[], words?: (key: string) => string }} props @returns {VNode | null} */
function Parts({ title, none, segments, words = (key) => key }) {
  if (segments.length === 0) return null;
  return html`<details class="parts"><summary>${title} <span class="faint">${segments.length}</span></summary>
    <${Table} label=${title} head=${[title, "Cases", "Rated good", "Rating", "First reply", "Solved without a person"]}
      rows=${segments.map((one) => [one.key === "" ? none : words(one.key), one.n, shareWords(one.csat.positive), csatWords(one.csat), span(one.frt.median_ms), shareWords(one.containment)])} />
  </details>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
export function Segments({ card }) {
  const { page, campaign, tag } = card.segments;
  return html`<section aria-labelledby="segments-title">
    <h3 id="segments-title">Where they came from, what it was about</h3>
    <${Parts} title="Topic" none="Without a topic" segments=${tag} words=${plain} />
    <${Parts} title="Page" none="Unknown page" segments=${page} />
    <${Parts} title="Campaign" none="No campaign" segments=${campaign} />
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
export function Quality({ card }) {
  const { clarity, correctness, empathy, sentiment } = card.quality;
  const { accepted, edited, discarded } = card.suggestions;
  const rubric = [["Clarity", clarity], ["Correctness", correctness], ["Empathy", empathy]];
  const moods = [["Calmer at the end", sentiment.better], ["As at the beginning", sentiment.same], ["More annoyed at the end", sentiment.worse]];
  const verdicts = [["Sent as they were", accepted], ["Sent with changes", edited], ["Thrown away", discarded]];
  const bars = (/** @type {any[][]} */ rows) => rows.map(([label, n]) => ({ label, value: n, said: whole(n) }));
  const words = (/** @type {any[][]} */ rows) => rows.map(([label, n]) => `${label}: ${n}`).join(", ");
  return html`<section aria-labelledby="quality-title">
    <h3 id="quality-title">Quality</h3>
    <${Bars} id="rubric" title="Your own marks, from 1 to 3" top=${3} words=${rubric.map(([label, one]) => `${label}: ${decimal(/** @type {any} */ (one).mean, 2)}`).join(", ")}
      bars=${rubric.map(([label, one]) => ({ label, value: /** @type {any} */ (one).mean, said: `${decimal(/** @type {any} */ (one).mean, 2)} · n ${/** @type {any} */ (one).n}` }))}
      head=${["Mark", "Mean", "Chats"]} rows=${rubric.map(([label, one]) => [label, decimal(/** @type {any} */ (one).mean, 2), /** @type {any} */ (one).n])} />
    <div class="chart-pair">
      <${Bars} id="mood" title="How visitors sound" words=${words(moods)} bars=${bars(moods)} head=${["Mood", "Cases"]} rows=${moods} />
      <${Bars} id="suggestions" title="What became of suggestions" words=${words(verdicts)} bars=${bars(verdicts)} head=${["Suggestions", "Number"]} rows=${verdicts} />
    </div>
    <p class="note">${whole(card.drafts_cancelled)} drafts were stopped before they were done. Resolved by you: ${whole(card.resolved.owner)}, by visitors: ${whole(card.resolved.visitor)}, by silence (assumed): ${whole(card.resolved.silence)}; open: ${whole(card.resolved.open)}${card.cases ? ` (${part(card.resolved.open / card.cases)})` : ""}.</p>
  </section>`;
}
