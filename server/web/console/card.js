// A message's card as the owner sees it: what was offered, asked, shown or uploaded.

import { bytes } from "./format.js";
import { Values } from "./sheet.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/** @param {{ card: import("./types.js").Card | null | undefined }} props @returns {VNode | null} */
export function Card({ card }) {
  switch (card?.kind) {
    case "choices": return html`<p class="shown">Offered: ${card.options.map((one, n) => html`<span class="tag" key=${n} dir="auto">${one}</span> `)}</p>`;
    case "confirm": return html`<div class="shown"><p class="faint">Asked to confirm: <strong dir="auto">${card.title}</strong></p><${Values} rows=${card.rows} /></div>`;
    case "code": return html`<p class="shown faint">Asked for the code that was sent to <bdi>${card.to}</bdi></p>`;
    case "result": return html`<div class="shown"><p><strong dir="auto">${card.title}</strong></p><${Values} rows=${card.rows} /></div>`;
    case "upload": return html`<p class="shown faint">Asked for a file: <span dir="auto">${card.what}</span></p>`;
    case "file": return html`<p class="shown file"><a href=${`/console/api/files/${encodeURIComponent(card.id)}`} download=${card.name} dir="auto">${card.name}</a>
      <span class="faint">${bytes(card.bytes)}, ${card.media}</span></p>`;
    default: return null;
  }
}
