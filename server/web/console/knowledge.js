// The page "Knowledge": how the documents stand, what a question finds, earlier versions, and what may be wrong.

import { fullTime, isoTime, pageUrl, percent, short, timeWords, webUrl } from "./format.js";
import { library, look, openDocument, openUpload, readLibrary, release, rollBack, search } from "./library.js";
import { Editor, EditorDoors } from "./editor.js";
import { Findings } from "./findings.js";
import { Count, Sources } from "./sources.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").KnowledgeStatus} KnowledgeStatus */
/** @typedef {import("./types.js").KnowledgeVersion} KnowledgeVersion */
/** @typedef {import("./types.js").KnowledgeHit} KnowledgeHit */

/** @param {{ at: number }} props @returns {VNode} */
function Time({ at }) {
  return html`<time datetime=${isoTime(at)} title=${fullTime(at)}>${timeWords(at)}</time>`;
}

/**
 * What answers, and what keeps the folder from answering.
 * @param {{ status: KnowledgeStatus }} props
 * @returns {VNode}
 */
function Standing({ status }) {
  return html`<section class="standing" aria-label="How the documents stand">
    <p><strong>${status.documents}</strong> documents, <strong>${status.passages}</strong> passages.
      Version <code class="version">${status.version}</code> answers since <${Time} at=${status.published_at} />.
      Files read <${Time} at=${status.read_at} />.</p>
    ${status.embedding !== null && html`<${Count} label="A new version is being made; changed documents read" count=${status.embedding} />`}
    ${status.pinned && html`<p class="notice pinned">Version <code>${status.pinned}</code> is pinned.
      ${status.behind ? "The files have other text; it is not published." : "Edits of the files are not published."}
      <button class="release" disabled=${library.busy !== ""} onClick=${() => void release()}>Publish the files again</button></p>`}
    ${status.web && html`<${Sources} web=${status.web} />`}
    ${status.error && html`<p class="notice bad" role="alert">Not published, the last good version answers: ${status.error}</p>`}
    ${status.problems.map((one) => html`<p class="notice bad" key=${one.path}><code>${one.path}</code>: ${one.problem}.
      ${one.kept ? "Its last good text answers." : "It is left out."}</p>`)}
  </section>`;
}

/**
 * @param {{ hit: KnowledgeHit, floor: number, place: number }} props
 * @returns {VNode}
 */
function Hit({ hit, floor, place }) {
  const low = Math.max(hit.cosine, hit.unit) < floor;
  return html`<li class="hit">
    <p><strong>${place}. <a href=${pageUrl(hit.url)} target="_blank" rel="noopener">${[hit.title, ...hit.heading].join(" › ")}</a></strong>${" "}<code>${hit.doc}</code></p>
    <dl class="scores">
      <div><dt>Rank score</dt><dd>${short(hit.score)}</dd></div>
      <div class=${low ? "low" : ""}><dt>Meaning (cosine)</dt><dd>${short(hit.cosine)}${low ? " (below the floor)" : ""}</dd></div>
      <div><dt>Nearest sentence</dt><dd>${short(hit.unit)}</dd></div>
      <div><dt>Words (BM25)</dt><dd>${short(hit.bm25)}</dd></div>
      <div><dt>Words found</dt><dd>${percent(hit.coverage)}</dd></div>
    </dl>
    <blockquote tabindex="0">${hit.text}</blockquote>
  </li>`;
}

/** What a page can say it is about, as on the widget's script tag. */
const SCOPE = /** @type {const} */ ([["area", "Area"], ["version", "Version"], ["audience", "Audience"], ["language", "Language"]]);

/** A question as a visitor asks it, and the passages that it finds. @returns {VNode} */
function Search() {
  const [question, setQuestion] = useState("");
  const found = library.found;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const said = SCOPE.map(([name]) => [name, String(form.get(name) ?? "").trim()]);
    if (question.trim()) void search(question.trim(), Object.fromEntries(said.filter(([, value]) => value)));
  };
  return html`<section aria-labelledby="search-title">
    <h3 id="search-title">Search as a visitor</h3>
    <form class="search" onSubmit=${submit}>
      <input name="question" aria-label="Question" placeholder="A visitor's question" value=${question} maxlength="4000"
        onInput=${(/** @type {{ target: HTMLInputElement }} */ event) => setQuestion(event.target.value)} />
      <button class="primary" disabled=${library.busy !== ""}>Search</button>
      <details class="scope"><summary>From a page about…</summary>
        ${SCOPE.map(([name, label]) => html`<label key=${name}>${label} <input name=${name} maxlength="64" /></label>`)}
      </details>
    </form>
    ${found && html`<p class="note">${found.hits.length === 0 ? "Nothing was found." : `Version ${found.version}. Nothing is answered when the best passage's meaning and nearest sentence are both below ${short(found.floor)}.`}</p>
    <ol class="hits">${found.hits.map((hit, at) => html`<${Hit} key=${hit.url} hit=${hit} floor=${found.floor} place=${at + 1} />`)}</ol>`}
  </section>`;
}

/** @param {DragEvent} event @returns {void} */
const drag = (event) => event.preventDefault();

/** A file is dropped. @param {DragEvent} event @returns {void} */
function drop(event) {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void openUpload(file);
}

/** @returns {VNode} */
function Documents() {
  const bad = new Set(library.status?.problems.map((one) => one.path));
  return html`<section aria-labelledby="documents-title" onDragOver=${drag} onDrop=${drop}>
    <h3 id="documents-title">Documents</h3>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="documents-title"><table>
      <thead><tr><th scope="col">Document</th><th scope="col">Passages</th><th scope="col">Last change</th><th scope="col"><span class="sr">Edit</span></th></tr></thead>
      <tbody>${library.documents.map((one) => html`<tr key=${one.path} class=${bad.has(one.path) ? "bad" : ""}>
        <th scope="row"><a href=${pageUrl(one.url)} target="_blank" rel="noopener">${one.title || one.path}</a> <code>${one.path}</code>
          ${one.source && html` <a href=${webUrl(one.source)} target="_blank" rel="noopener">original</a>`}
          ${bad.has(one.path) && " (cannot be read now)"}</th>
        <td>${one.passages}</td>
        <td>${one.written_at === null ? "not in the folder" : html`<${Time} at=${one.written_at} />`}</td>
        <td>${!one.source && html`<button class="edit" aria-label=${`Edit ${one.path}`} disabled=${library.busy !== ""} onClick=${() => void openDocument(one.path)}>Edit</button>`}</td>
      </tr>`)}</tbody>
    </table></div>
    <${EditorDoors} />
  </section>`;
}

/** What a version changed, in words. @param {KnowledgeVersion} version @returns {string} */
function changes(version) {
  const kinds = /** @type {const} */ (["added", "changed", "removed"]);
  const words = kinds.filter((kind) => version[kind].count > 0).map((kind) => {
    const { count, paths } = version[kind];
    return `${count} ${kind} (${paths.slice(0, 3).join(", ")}${count > 3 ? ", …" : ""})`;
  });
  return words.join(", ") || "no change";
}

/** @returns {VNode} */
function Versions() {
  return html`<section aria-labelledby="versions-title">
    <h3 id="versions-title">Versions</h3>
    <p class="note">Rolling back lets an earlier version answer. Your files stay as they are, and edits are not published until you publish the files again.</p>
    <ul class="versions">${library.versions.map((one) => html`<li key=${one.id} class=${one.answers ? "answers" : ""}>
      <code>${one.id}</code> <${Time} at=${one.at} /> <span>${one.documents} documents; ${changes(one)}</span>
      ${one.answers
        ? html`<span class="state-chip owner">${one.pinned ? "Answers, pinned" : "Answers"}</span>`
        : html`<button class="roll-back" disabled=${library.busy !== ""} aria-label=${`Roll back to ${one.id}`} onClick=${() => void rollBack(one.id)}>Roll back</button>`}
    </li>`)}</ul>
  </section>`;
}

/** @returns {VNode} */
function Check() {
  return html`<section aria-labelledby="check-title">
    <h3 id="check-title">What may be wrong</h3>
    <p><button class="check" disabled=${library.busy !== ""} onClick=${() => void look()}>${library.busy === "check" ? "Looking…" : "Look the documents over"}</button></p>
    ${library.report && html`<${Findings} report=${library.report} />`}
  </section>`;
}

/** @returns {VNode} */
export function Knowledge() {
  return html`<main class="conversation knowledge" aria-label="Knowledge">
    <header class="bar head">
      <a class="back" href="#/" aria-label="Back to the list">‹</a>
      <div class="title"><h2 tabindex="-1">Knowledge</h2></div>
      <div class="buttons"><button class="quiet" disabled=${library.busy !== ""} onClick=${() => void readLibrary()}>Refresh</button></div>
    </header>
    ${library.problem && html`<p class="problem" role="alert">${library.problem}</p>`}
    <div class="thread" tabindex="0" role="region" aria-label="Documents and versions">
      ${library.status ? html`<${Standing} status=${library.status} />` : html`<p class="empty">Loading…</p>`}
      <${Search} />
      <${Documents} />
      <${Editor} />
      <${Versions} />
      <${Check} />
    </div>
    <p class="sr" aria-live="polite">${library.said}</p>
  </main>`;
}
