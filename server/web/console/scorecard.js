// The page "Scorecard": what the chats of a period have come to, how sure that is, and the one thing to do next.

import { reasonWords, plain } from "./format.js";
import { Bars, Columns, Line, Table } from "./charts.js";
import { change, csatWords, decimal, Figure, npsWords, NPS_FROM, part, points, shareWords, span, sure, whole } from "./figures.js";
import { ActionItem } from "./action-item.js";
import { Controls, Empty } from "./score-controls.js";
import { Quality, Segments, Templates } from "./score-details.js";
import { Worth } from "./score-worth.js";
import { page, read } from "./score-page.js";
import { Sheet } from "./sheet.js";
import { html, useEffect } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./score-types.js").Scorecard} Card */
/** @typedef {import("./score-types.js").Share} Share */

/** @type {Record<string, string>} */
export const KINDS = { bot_only: "Bot only", assisted: "Person with the bot", person_only: "Person only" };
/** Steps of the scale that ratings are brought to. */
const STEPS = ["1", "2", "3", "4", "5"];

/** @param {string} day as in 2026-11-22 @returns {string} */
const dayWords = (day) => new Date(day).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** @param {Share} share @param {Share} [before] @returns {string[]} */
const under = (share, before) => [`${whole(share.hits)} of ${whole(share.of)}`, sure(share), before ? change(share.share, before.share, points) : ""];

/** @param {{ card: Card }} props @returns {VNode} */
function Headline({ card }) {
  const { previous: before, frt, csat, nps } = card;
  const time = (/** @type {import("./score-types.js").Timer} */ timer) => [`9 in 10 within ${span(timer.p90_ms)}`, `n ${whole(timer.n)}`];
  return html`<section aria-labelledby="headline-title">
    <h3 id="headline-title">In short</h3>
    <dl class="figure-grid">
      <${Figure} label="Cases" value=${whole(card.cases)} notes=${[change(card.cases, before.cases, whole), card.sessions === null ? "" : `${whole(card.sessions)} visits opened the chat`]} />
      <${Figure} label="Rated good" value=${part(csat.positive.share)} notes=${[...under(csat.positive), csat.n > 0 ? `on average ${decimal(csat.mean, 2)} of 5` : "", change(csat.mean, before.csat_mean, (d) => d.toFixed(1)),
        csat.asked > 0 ? `${part(csat.n / csat.asked)} of ${whole(csat.asked)} asked have answered` : ""]} />
      <${Figure} label="Bot's first reply" value=${span(frt.bot.median_ms)} notes=${[...time(frt.bot), change(frt.bot.median_ms, before.frt_bot_ms, span)]} />
      <${Figure} label="Person's first reply" value=${span(frt.person.median_ms)} notes=${[...time(frt.person), frt.person_open.n > 0 ? `${span(frt.person_open.median_ms)} within office hours` : "", change(frt.person.median_ms, before.frt_person_ms, span)]} />
      <${Figure} label="Solved without a person" value=${part(card.containment.share)} notes=${under(card.containment, before.containment)} />
      <${Figure} label="Answered without a person" value=${part(card.deflection.share)} notes=${under(card.deflection)} />
      <${Figure} label="Came back within 72 hours" value=${part(card.reopened.share)} notes=${under(card.reopened, before.reopened)} />
      <${Figure} label="Still solved after 7 days" value=${part(card.durable.share)} notes=${under(card.durable)} />
      <${Figure} label="NPS, four weeks" value=${nps.score === null ? "Not yet" : String(Math.round(nps.score))}
        notes=${[nps.score === null ? `${whole(nps.n)} of the ${NPS_FROM} answers it needs` : `n ${whole(nps.n)}`, nps.low !== null && nps.high !== null ? `95 %: ${Math.round(nps.low)} to ${Math.round(nps.high)}` : ""]} />
      <${Figure} label="Time to solve" value=${span(card.resolution.all.median_ms)} notes=${time(card.resolution.all)} />
      <${Figure} label="Messages in a case" value=${decimal(card.turns.median, 0)} notes=${[card.turns.n > 0 ? `9 in 10 at most ${decimal(card.turns.p90, 0)}` : "", `n ${whole(card.turns.n)}`]} />
      <${Figure} label="Your time for a case" value=${span(card.handling.mean_ms)} notes=${["mean of cases with a person", `n ${whole(card.handling.n)}`]} />
    </dl>
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
function Days({ card }) {
  const labels = card.days.map((one) => dayWords(one.day));
  const head = ["Day", "Cases", "Resolved", "By the bot alone", "Rating (mean)"];
  const rows = card.days.map((one) => [one.day, one.n, one.resolved, one.contained, decimal(one.csat_mean)]);
  const best = card.days.reduce((a, b) => (b.n > a.n ? b : a), card.days[0]);
  return html`<section aria-labelledby="days-title">
    <h3 id="days-title">Day by day</h3>
    <div class="chart-pair">
      <${Columns} id="days-cases" title="Cases a day; filled: solved without a person" words=${`Most on ${best.day}: ${best.n} cases.`}
        columns=${card.days.map((one, n) => ({ label: labels[n], value: one.n, inner: one.contained }))} head=${head} rows=${rows} />
      <${Line} id="days-frt" title="First reply a day (median)" words="The median time to the first reply of anybody, a day." labels=${labels}
        values=${card.days.map((one) => one.frt_median_ms)} said=${span}
        head=${["Day", "First reply (median)"]} rows=${card.days.map((one) => [one.day, span(one.frt_median_ms)])} />
    </div>
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
function Speed({ card }) {
  const all = card.frt_buckets.reduce((sum, one) => sum + one.n, 0);
  const counts = card.csat.counts;
  return html`<section aria-labelledby="speed-title">
    <h3 id="speed-title">Speed and satisfaction</h3>
    <div class="chart-pair">
      <${Bars} id="frt" title="Cases by time to the first reply" words=${card.frt_buckets.map((one) => `${one.label}: ${one.n}`).join(", ")}
        bars=${card.frt_buckets.map((one) => ({ label: one.label, value: one.n, said: `${whole(one.n)} · rated ${csatWords(one.csat)}` }))}
        head=${["First reply", "Cases", "Share", "Rating", "Rated good", "NPS"]}
        rows=${card.frt_buckets.map((one) => [one.label, one.n, part(all ? one.n / all : null), csatWords(one.csat), shareWords(one.csat.positive), npsWords(one.nps)])} />
      <${Columns} id="ratings" title="Ratings, from 1 to 5" words=${`${card.csat.n} ratings; on average ${decimal(card.csat.mean, 2)}.`}
        columns=${STEPS.map((label, n) => ({ label, value: counts[n] ?? 0, said: String(counts[n] ?? 0) }))}
        head=${["Rating", "Answers"]} rows=${STEPS.map((label, n) => [label, counts[n] ?? 0])} />
    </div>
    <p class="note">Three-step ratings count as 1, 3 and 5. A reply after the first takes the bot ${span(card.latency.bot.median_ms)} and a person ${span(card.latency.person.median_ms)} (medians of ${whole(card.latency.bot.n)} and ${whole(card.latency.person.n)}).</p>
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
function Kinds({ card }) {
  const name = (/** @type {string} */ kind) => KINDS[kind] ?? plain(kind);
  return html`<section aria-labelledby="kinds-title">
    <h3 id="kinds-title">Bot and people side by side</h3>
    <${Bars} id="kinds" title="Rated good, with the 95 % interval" top=${1} words=${card.kinds.map((one) => `${name(one.kind)}: ${shareWords(one.csat.positive)}`).join("; ")}
      bars=${card.kinds.map(({ kind, csat: { positive } }) => ({ label: name(kind), value: positive.share, said: `${shareWords(positive)} ${sure(positive) && `(${sure(positive)})`}`, low: positive.low, high: positive.high }))}
      head=${["Who answered", "Cases", "Rated good", "Rating", "First reply", "Time to solve", "Messages", "Came back"]}
      rows=${card.kinds.map((one) => [name(one.kind), one.n, `${shareWords(one.csat.positive)} ${sure(one.csat.positive)}`, csatWords(one.csat), span(one.frt.median_ms), span(one.resolution.median_ms), decimal(one.turns_mean), shareWords(one.reopened)])} />
    <p class="note">Intervals that overlap much say nothing about who is better: wait for more ratings.</p>
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode} */
function Topics({ card }) {
  const { by_tag } = card.resolution;
  const handed = card.hand_offs.reduce((sum, one) => sum + one.n, 0);
  return html`<section aria-labelledby="topics-title">
    <h3 id="topics-title">Topics and hand-offs</h3>
    <div class="chart-pair">
      <${Bars} id="intents" title="Time to solve by intent; the mark: 9 in 10" words=${by_tag.map((one) => `${plain(one.tag)}: ${span(one.timer.median_ms)}`).join(", ") || "Nothing is resolved yet."}
        bars=${by_tag.map((one) => ({ label: plain(one.tag), value: one.timer.median_ms, end: one.timer.p90_ms, said: `${span(one.timer.median_ms)} · n ${whole(one.timer.n)}` }))}
        head=${["Intent", "Resolved", "Median", "9 in 10 within"]} rows=${by_tag.map((one) => [plain(one.tag), one.timer.n, span(one.timer.median_ms), span(one.timer.p90_ms)])} />
      <${Bars} id="hand-offs" title="Why a person was asked for" words=${card.hand_offs.map((one) => `${reasonWords(one.reason)}: ${one.n}`).join(", ") || "Nobody was."}
        bars=${card.hand_offs.map((one) => ({ label: reasonWords(one.reason), value: one.n, said: `${whole(one.n)} · ${part(one.n / handed)}` }))}
        head=${["Reason", "Hand-offs"]} rows=${card.hand_offs.map((one) => [reasonWords(one.reason), one.n])} />
    </div>
  </section>`;
}

/** @param {{ card: Card }} props @returns {VNode | null} */
function DeepDive({ card }) {
  const dive = card.deep_dive;
  if (!dive) return null;
  return html`<section aria-labelledby="dive-title">
    <h3 id="dive-title">A closer look: ${plain(dive.tag)}</h3>
    <p class="note">Another topic each week, in turn.</p>
    <dl class="figure-grid">
      <${Figure} label="Cases" value=${whole(dive.n)} notes=${[]} />
      <${Figure} label="Rated good" value=${part(dive.csat.positive.share)} notes=${under(dive.csat.positive)} />
      <${Figure} label="First reply" value=${span(dive.frt.median_ms)} notes=${[`n ${whole(dive.frt.n)}`]} />
      <${Figure} label="Time to solve" value=${span(dive.resolution.median_ms)} notes=${[`n ${whole(dive.resolution.n)}`]} />
      <${Figure} label="Solved without a person" value=${part(dive.containment.share)} notes=${under(dive.containment)} />
      <${Figure} label="Came back" value=${part(dive.reopened.share)} notes=${under(dive.reopened)} />
    </dl>
    ${dive.hand_offs.length > 0 && html`<${Table} label="Hand-offs of this topic" head=${["Why a person was asked for", "Cases"]} rows=${dive.hand_offs.map((one) => [reasonWords(one.reason), one.n])} />`}
  </section>`;
}

/** On paper every table is open, and closed again afterwards. @returns {void} */
function useOpenOnPaper() {
  useEffect(() => {
    const paper = matchMedia("print");
    /** @type {HTMLDetailsElement[]} */
    let opened = [];
    const turn = () => {
      if (paper.matches) opened = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(".scorecard details:not([open])"))];
      for (const one of opened) one.open = paper.matches;
    };
    paper.addEventListener("change", turn);
    return () => paper.removeEventListener("change", turn);
  }, []);
}

/** @returns {VNode} */
export function Scorecard() {
  useOpenOnPaper();
  const { card } = page;
  return html`<${Sheet} page=${page} title="Scorecard" read=${read}>
    <div class="scorecard">
      <${Controls} />
      ${card === null ? html`<p class="empty">${page.problem ? "" : "Loading…"}</p>` : card.cases === 0 ? html`<${Empty} card=${card} />` : html`
        <${Headline} card=${card} />
        <${ActionItem} item=${card.action_item} items=${page.items} week=${card.week} />
        <${Days} card=${card} />
        <${Speed} card=${card} />
        <${Kinds} card=${card} />
        <${Topics} card=${card} />
        <${DeepDive} card=${card} />
        <${Templates} card=${card} />
        <${Segments} card=${card} />
        <${Worth} card=${card} />
        <${Quality} card=${card} />`}
    </div>
  <//>`;
}
