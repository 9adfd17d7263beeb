// Edits a document: its text, the passages it would be cut into, and the answers that the edit changes.

import { percent, short } from "./format.js";
import { closeEditor, deleteDocument, library, openUpload, saveEdit, touchEdit, tryEdit } from "./library.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").KnowledgeFlip} KnowledgeFlip */
/** @typedef {import("./types.js").KnowledgeVerdict} KnowledgeVerdict */
/** @typedef {import("./types.js").KnowledgeTrial} KnowledgeTrial */

/** Endings of files that can be read. */
const FORMATS = ".md,.txt,.html,.htm,.docx,.pdf,.csv,.jsonl";

/** @param {{ verdict: KnowledgeVerdict, when: string }} props @returns {VNode} */
function Verdict({ verdict, when }) {
  const found = verdict.doc ? html`<code>${verdict.doc}</code> ${verdict.text} (${short(verdict.cosine)})` : "nothing";
  return html`<p><span class="state-chip ${verdict.right ? "owner" : ""}">${when}: ${verdict.right ? "right" : "wrong"}</span> ${found}</p>`;
}

/** @param {{ flip: KnowledgeFlip }} props @returns {VNode} */
function Flip({ flip }) {
  const loss = flip.before.right && !flip.after.right;
  return html`<li class="finding ${loss ? "loss" : ""}"><p><strong>${flip.question}</strong></p>
    <${Verdict} when="Now" verdict=${flip.before} /><${Verdict} when="With the edit" verdict=${flip.after} /></li>`;
}

/** @param {{ trial: KnowledgeTrial }} props @returns {VNode} */
export function Trial({ trial }) {
  const questions = trial.questions === 0
    ? "There are no golden questions yet: put them into golden.jsonl beside your documents."
    : `Of ${trial.questions} golden questions ${trial.right_before} are answered rightly now, ${trial.right_after} with the edit.`;
  return html`<div class="trial">
    <p role="status">${questions}</p>
    ${trial.flips.length > 0 && html`<ul class="findings">${trial.flips.map((flip) => html`<${Flip} key=${flip.question} flip=${flip} />`)}</ul>`}
    <h4>Passages: ${trial.passages.length}</h4>
    <ol class="hits">${trial.passages.map((one, at) => html`<li class="hit" key=${at}>
      <p><strong>${one.heading.join(" › ")}</strong></p><blockquote tabindex="0">${one.text}</blockquote></li>`)}</ol>
  </div>`;
}

/** The buttons that open the editor. @returns {VNode} */
export function EditorDoors() {
  const onFile = async (/** @type {{ target: HTMLInputElement }} */ event) => {
    const file = event.target.files?.[0];
    event.target.value = "";
    if (file) await openUpload(file);
  };
  return html`<p class="buttons">
    <button class="new-document" disabled=${library.busy !== ""} onClick=${() => void openUpload(null)}>New document</button>
    <label class="upload">Upload a file <input type="file" accept=${FORMATS} onChange=${onFile} /></label>
    <span class="note">Or drop one here: Markdown, text, HTML, DOCX, PDF, CSV or JSONL, at most 32 MiB.</span>
  </p>`;
}

/** @param {import("./library.js").Edit} edit @returns {string} */
function title(edit) {
  if (!edit.base) return "New document";
  return edit.file ? `Replace ${edit.path}` : `Edit ${edit.path}`;
}

/** A file that is taken as it is. @param {{ edit: import("./library.js").Edit }} props @returns {VNode} */
function Foreign({ edit }) {
  if (!edit.file) return html`<p class="note">Files of this format are not edited here. Upload one of the same name to replace it, or delete it.</p>`;
  const sending = ["try", "save"].includes(library.busy);
  return html`<p>${edit.file.name}, ${(edit.file.size / 1024).toFixed(0)} KiB. It is read in a process of its own and kept as it is.</p>
    ${sending && html`<p class="progress" role="status">${library.sent < 1 ? `${percent(library.sent)} sent` : "Being read"} <progress aria-label="Upload" max="1" value=${library.sent < 1 ? library.sent : undefined}></progress></p>`}`;
}

/** @returns {VNode | null} */
export function Editor() {
  const edit = library.edit;
  if (!edit) return null;
  const busy = library.busy !== "";
  return html`<section class="editor" aria-labelledby="editor-title">
    <h3 id="editor-title">${title(edit)}</h3>
    ${!edit.base && html`<label class="field"><span>Name, ending in ${edit.file ? "that of its format" : ".md"}</span>
      <input name="path" value=${edit.path} onInput=${(/** @type {{ target: HTMLInputElement }} */ event) => touchEdit({ path: event.target.value })} /></label>`}
    ${edit.foreign ? html`<${Foreign} edit=${edit} />` : html`<label class="field"><span>Text (Markdown)</span>
      <textarea name="text" rows="16" spellcheck="true" value=${edit.text}
        onInput=${(/** @type {{ target: HTMLTextAreaElement }} */ event) => touchEdit({ text: event.target.value })}></textarea></label>`}
    ${edit.problem && html`<p class="notice bad" role="alert">${edit.problem}</p>`}
    <p class="buttons">
      ${(edit.file || !edit.foreign) && html`<button class="try" disabled=${busy} onClick=${() => void tryEdit()}>${library.busy === "try" ? "Trying…" : "Preview and try"}</button>
      <button class="primary save" disabled=${busy} onClick=${() => void saveEdit(false)}>Save</button>`}
      ${edit.stopped && html`<button class="insist" disabled=${busy} onClick=${() => void saveEdit(true)}>Save all the same</button>`}
      ${edit.base && html`<button class="delete" disabled=${busy} onClick=${() => void deleteDocument()}>${edit.sure ? "Really delete" : "Delete"}</button>`}
      <button class="quiet" onClick=${closeEditor}>Close</button>
    </p>
    ${edit.trial && html`<${Trial} trial=${edit.trial} />`}
  </section>`;
}
