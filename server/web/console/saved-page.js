// The page "Saved replies": the texts that the owner sends again and again, with their slots.

import { intents } from "./intents.js";
import { SLOTS, deleteReply, dropReply, keepReply, readSaved, saved, touchReply, writeReply } from "./saved.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").SavedReply} SavedReply */

/** @param {{ target: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement }} event @returns {void} */
const onInput = (event) => touchReply({ [event.target.name]: event.target.value });

/** @returns {VNode | null} */
function Form() {
  const draft = saved.draft;
  if (!draft) return null;
  const choices = intents.prompts?.intents ?? [];
  const gone = draft.intent && !choices.some((one) => one.id === draft.intent);
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void keepReply();
  };
  return html`<form class="editor" aria-labelledby="reply-title" onSubmit=${onSubmit}>
    <h3 id="reply-title">${draft.id ? "Edit the saved reply" : "New saved reply"}</h3>
    <label class="field"><span>Title</span><input name="title" required maxlength="80" value=${draft.title} onInput=${onInput} /></label>
    <label class="field"><span>Text</span><textarea name="text" rows="6" required maxlength="4000" value=${draft.text} aria-describedby="slots-note" onInput=${onInput}></textarea></label>
    <p class="note" id="slots-note">Slots are filled from what the visitor wrote: ${SLOTS.map((name) => html`<code key=${name}>{${name}}</code> `)}</p>
    <label class="field"><span>Tag</span><select name="intent" value=${draft.intent} onInput=${onInput}>
      <option value="">Every tag</option>
      ${gone && html`<option value=${draft.intent}>${draft.intent} (not in intents.toml now)</option>`}
      ${choices.map((one) => html`<option key=${one.id} value=${one.id}>${one.label}</option>`)}
    </select></label>
    <p class="buttons"><button class="primary save" disabled=${saved.busy !== ""}>Save</button>
      <button type="button" class="quiet" onClick=${dropReply}>Close</button></p>
  </form>`;
}

/** @param {{ reply: SavedReply }} props @returns {VNode} */
function Row({ reply }) {
  const label = intents.prompts?.intents.find((one) => one.id === reply.intent)?.label ?? reply.intent;
  const busy = saved.busy !== "";
  return html`<tr>
    <th scope="row"><strong>${reply.title}</strong> <span class="saved-text">${reply.text}</span></th>
    <td>${label ?? "Every tag"}</td>
    <td><p class="buttons"><button class="edit" disabled=${busy} aria-label=${`Edit ${reply.title}`} onClick=${() => writeReply(reply)}>Edit</button>
      <button class="delete" disabled=${busy} aria-label=${`${saved.sure === reply.id ? "Really delete" : "Delete"} ${reply.title}`} onClick=${() => void deleteReply(reply)}>${saved.sure === reply.id ? "Really delete" : "Delete"}</button></p></td>
  </tr>`;
}

/** @returns {VNode} */
export function SavedReplies() {
  return html`<main class="conversation knowledge" aria-label="Saved replies">
    <header class="bar head">
      <a class="back" href="#/" aria-label="Back to the list">‹</a>
      <div class="title"><h2 tabindex="-1">Saved replies</h2></div>
      <div class="buttons"><button class="quiet" disabled=${saved.busy !== ""} onClick=${() => void readSaved()}>Refresh</button></div>
    </header>
    ${saved.problem && html`<p class="problem" role="alert">${saved.problem}</p>`}
    <div class="thread" tabindex="0" role="region" aria-label="Your saved replies">
      <section aria-labelledby="saved-title">
        <h3 id="saved-title">Your saved replies</h3>
        <p class="note">In a conversation, press “Saved replies” above the composer or type / at its start. Those of the conversation's tag come first.</p>
        ${saved.replies.length === 0 ? html`<p class="empty">${saved.read ? "There is none yet." : "Loading…"}</p>` : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="saved-title"><table>
          <thead><tr><th scope="col">Reply</th><th scope="col">Tag</th><th scope="col"><span class="sr">Edit or delete</span></th></tr></thead>
          <tbody>${saved.replies.map((one) => html`<${Row} key=${one.id} reply=${one} />`)}</tbody>
        </table></div>`}
        <p class="buttons"><button class="new-reply" disabled=${saved.busy !== ""} onClick=${() => writeReply(null)}>New saved reply</button></p>
      </section>
      <${Form} />
    </div>
    <p class="sr" aria-live="polite">${saved.said}</p>
  </main>`;
}
