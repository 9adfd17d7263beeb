// Charts as plain SVG: they grow with the page while their words keep their size, each with its words and the table behind it.

import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {(string | number)[][]} Rows */

/** Height of a line of a bar chart, and of the plot of a column or line chart. */
const LINE = 46;
const PLOT = 120;
/** Days that are named below a chart at most. */
const NAMED = 6;

/**
 * A table that scrolls in its own frame; the first column names the line.
 * @param {{ label: string, head: string[], rows: Rows }} props
 * @returns {VNode}
 */
export function Table({ label, head, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((one) => html`<th scope="col" key=${one}>${one}</th>`)}</tr></thead>
    <tbody>${rows.map((row, n) => html`<tr key=${n}>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>`)}</tbody>
  </table></div>`;
}

/**
 * A picture with its title, what it shows in a sentence, and the table behind it.
 * @param {{ id: string, title: string, words: string, height: number, head: string[], rows: Rows, children?: unknown }} props
 * @returns {VNode}
 */
function Chart({ id, title, words, height, head, rows, children }) {
  return html`<figure class="chart" id=${id}>
    <figcaption>${title}</figcaption>
    <svg class="plot" width="100%" height=${height} role="img" aria-labelledby=${`${id}-title ${id}-words`}>
      <title id=${`${id}-title`}>${title}</title><desc id=${`${id}-words`}>${words}</desc>
      ${children}
    </svg>
    <details><summary>Table: ${title}</summary><${Table} label=${title} head=${head} rows=${rows} /></details>
  </figure>`;
}

/** @typedef {{ label: string, value: number | null, said: string, low?: number | null, high?: number | null, end?: number | null }} Bar */

/**
 * Bars that lie, each with its name and what it says above it. `low` and `high` are an interval, `end` a second mark.
 * @param {{ id: string, title: string, words: string, bars: Bar[], top?: number, head: string[], rows: Rows }} props
 * @returns {VNode}
 */
export function Bars({ id, title, words, bars, top, head, rows }) {
  const most = top ?? Math.max(1e-9, ...bars.map((bar) => Math.max(bar.value ?? 0, bar.high ?? 0, bar.end ?? 0)));
  const at = (/** @type {number} */ value) => `${(Math.min(value / most, 1) * 100).toFixed(2)}%`;
  return html`<${Chart} id=${id} title=${title} words=${words} height=${bars.length * LINE} head=${head} rows=${rows}>
    ${bars.map((bar, n) => {
      const y = n * LINE;
      const middle = y + 31;
      return html`<g key=${n}>
        <text x="0" y=${y + 16}>${bar.label}</text>
        <text class="said" x="100%" y=${y + 16} text-anchor="end">${bar.said}</text>
        <rect class="ground" x="0" y=${y + 25} width="100%" height="12" rx="3" />
        ${bar.value !== null && bar.value > 0 && html`<rect class="bar" x="0" y=${y + 25} width=${at(bar.value)} height="12" rx="3" />`}
        ${bar.end != null && html`<line class="end" x1=${at(bar.end)} x2=${at(bar.end)} y1=${y + 23} y2=${y + 39} />`}
        ${bar.low != null && bar.high != null && html`<g class="interval">
          <line x1=${at(bar.low)} x2=${at(bar.high)} y1=${middle} y2=${middle} />
          <line x1=${at(bar.low)} x2=${at(bar.low)} y1=${middle - 5} y2=${middle + 5} /><line x1=${at(bar.high)} x2=${at(bar.high)} y1=${middle - 5} y2=${middle + 5} />
        </g>`}
      </g>`;
    })}
  <//>`;
}

/** @param {number} n @param {number} of @returns {number} the middle of a column, in percent of the width */
const middle = (n, of) => ((n + 0.5) / of) * 100;

/** @param {string[]} labels @param {number} n @returns {boolean} whether there is room to name it */
const isNamed = (labels, n) => n % Math.ceil(labels.length / NAMED) === 0;

/** The name below a column; the first of many stays within the picture. @param {{ labels: string[], n: number }} props @returns {VNode} */
function Below({ labels, n }) {
  const edge = n === 0 && labels.length > NAMED;
  return html`<text x=${edge ? "0" : `${middle(n, labels.length).toFixed(2)}%`} y=${PLOT + 36} text-anchor=${edge ? "start" : "middle"}>${labels[n]}</text>`;
}

/**
 * Columns that stand; `inner` is the part of each that is drawn full, the rest is drawn in outline.
 * @param {{ id: string, title: string, words: string, columns: { label: string, value: number, inner?: number, said?: string }[], head: string[], rows: Rows }} props
 * @returns {VNode}
 */
export function Columns({ id, title, words, columns, head, rows }) {
  const most = Math.max(1, ...columns.map((one) => one.value));
  const high = (/** @type {number} */ value) => (value / most) * PLOT;
  const width = (100 / columns.length) * 0.7;
  const labels = columns.map((one) => one.label);
  return html`<${Chart} id=${id} title=${title} words=${words} height=${PLOT + 42} head=${head} rows=${rows}>
    <line class="grid" x1="0" x2="100%" y1=${PLOT + 18} y2=${PLOT + 18} />
    ${columns.map((one, n) => {
      const x = middle(n, columns.length);
      const y = (/** @type {number} */ value) => PLOT + 18 - high(value);
      return html`<g key=${n}>
        ${one.value > 0 && html`<rect class=${one.inner === undefined ? "bar" : "rest"} x=${`${(x - width / 2).toFixed(2)}%`} y=${y(one.value)} width=${`${width.toFixed(2)}%`} height=${high(one.value)} />`}
        ${one.inner !== undefined && one.inner > 0 && html`<rect class="bar" x=${`${(x - width / 2).toFixed(2)}%`} y=${y(one.inner)} width=${`${width.toFixed(2)}%`} height=${high(one.inner)} />`}
        ${one.said && html`<text class="said" x=${`${x.toFixed(2)}%`} y=${y(one.value) - 5} text-anchor="middle">${one.said}</text>`}
        ${isNamed(labels, n) && html`<${Below} labels=${labels} n=${n} />`}
      </g>`;
    })}
    ${columns.every((one) => !one.said) && html`<text x="0" y="12">${most}</text>`}
  <//>`;
}

/**
 * One value a day; a day without one leaves a gap.
 * @param {{ id: string, title: string, words: string, labels: string[], values: (number | null)[], said: (value: number) => string, head: string[], rows: Rows }} props
 * @returns {VNode}
 */
export function Line({ id, title, words, labels, values, said, head, rows }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(1e-9, ...known);
  const y = (/** @type {number} */ value) => PLOT + 18 - (value / most) * PLOT;
  /** @type {string[][]} */
  const lines = [[]];
  values.forEach((value, n) => {
    if (value === null) lines.push([]);
    else lines.at(-1)?.push(`${middle(n, values.length).toFixed(2)},${y(value).toFixed(1)}`);
  });
  const points = values.length <= 31;
  return html`<${Chart} id=${id} title=${title} words=${words} height=${PLOT + 42} head=${head} rows=${rows}>
    ${[0, 0.5, 1].map((share) => html`<line key=${share} class="grid" x1="0" x2="100%" y1=${y(share * most)} y2=${y(share * most)} />`)}
    <svg width="100%" height=${PLOT + 42} viewBox=${`0 0 100 ${PLOT + 42}`} preserveAspectRatio="none" aria-hidden="true">
      ${lines.filter((one) => one.length > 1).map((one, n) => html`<polyline key=${n} points=${one.join(" ")} />`)}
    </svg>
    ${values.map((value, n) => value !== null && (points || known.length === 1) && html`<circle key=${n} cx=${`${middle(n, values.length).toFixed(2)}%`} cy=${y(value)} r="3.5" />`)}
    ${labels.map((label, n) => isNamed(labels, n) && html`<${Below} key=${label} labels=${labels} n=${n} />`)}
    ${known.length > 0 && html`<text x="0" y="12">${said(most)}</text>`}
  <//>`;
}
