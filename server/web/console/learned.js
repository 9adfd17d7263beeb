// The page "Learned examples": what the owner's corrections have taught the intents, and the way to take one back.

import { forgetExample, intents, readIntents } from "./intents.js";
import { fullTime, isoTime, timeWords } from "./format.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Example} Example */

/** @param {{ example: Example }} props @returns {VNode} */
function Row({ example }) {
  const gone = !intents.prompts?.intents.some((one) => one.id === example.intent);
  return html`<tr>
    <th scope="row"><a href=${`#/c/${example.conversation}`}>${example.text}</a></th>
    <td>${example.label}${gone && html` <span class="note">(not in intents.toml now; kept, not learned)</span>`}</td>
    <td><time datetime=${isoTime(example.at)} title=${fullTime(example.at)}>${timeWords(example.at)}</time></td>
    <td><button class="forget" disabled=${intents.busy !== ""} aria-label=${`Remove the example “${example.text}”`} onClick=${() => void forgetExample(example)}>Remove</button></td>
  </tr>`;
}

/** @returns {VNode} */
export function Learned() {
  const { examples, prompts } = intents;
  return html`<main class="conversation knowledge" aria-label="Learned examples">
    <header class="bar head">
      <a class="back" href="#/" aria-label="Back to the list">‹</a>
      <div class="title"><h2 tabindex="-1">Learned examples</h2></div>
      <div class="buttons"><button class="quiet" disabled=${intents.busy !== ""} onClick=${() => void readIntents()}>Refresh</button></div>
    </header>
    ${intents.problem && html`<p class="problem" role="alert">${intents.problem}</p>`}
    <div class="thread" tabindex="0" role="region" aria-label="Examples">
      ${prompts?.problem && html`<div class="notice bad" role="alert"><p>Your intents, rules or texts have a mistake; the state before it is in force.</p><pre>${prompts.problem}</pre></div>`}
      <section aria-labelledby="learned-title">
        <h3 id="learned-title">What your corrections have taught</h3>
        <p class="note">When you correct a tag, the message becomes an example of the right one. The newest 20 of each tag are kept.</p>
        ${examples.length === 0 ? html`<p class="empty">${intents.busy ? "Loading…" : "No tag was corrected yet."}</p>` : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="learned-title"><table>
          <thead><tr><th scope="col">Message</th><th scope="col">Tag</th><th scope="col">When</th><th scope="col"><span class="sr">Remove</span></th></tr></thead>
          <tbody>${examples.map((one) => html`<${Row} key=${one.id} example=${one} />`)}</tbody>
        </table></div>`}
      </section>
    </div>
    <p class="sr" aria-live="polite">${intents.said}</p>
  </main>`;
}
