// The documents as the console knows them: how they stand, what is found in them, what was published before.

import * as api from "./api.js";
import { changed } from "./store.js";

/** @typedef {import("./types.js").KnowledgeStatus} KnowledgeStatus */
/** @typedef {import("./types.js").KnowledgeDocument} KnowledgeDocument */
/** @typedef {import("./types.js").KnowledgeVersion} KnowledgeVersion */
/** @typedef {import("./types.js").KnowledgeFound} KnowledgeFound */
/** @typedef {import("./types.js").KnowledgeReport} KnowledgeReport */

/** @typedef {import("./types.js").KnowledgeTrial} KnowledgeTrial */

/**
 * A document that is being edited.
 * @typedef {object} Edit
 * @property {string} path
 * @property {string} text
 * @property {boolean} foreign the format cannot be edited here; the file is replaced or deleted as a whole
 * @property {File | null} file the file that is uploaded as it is
 * @property {string | null} base names the state that the edit began with, null for a new document
 * @property {KnowledgeTrial | null} trial
 * @property {boolean} stopped right answers would become wrong
 * @property {boolean} sure the next click deletes
 * @property {string} problem
 */

/**
 * @typedef {object} Library
 * @property {boolean} open the page is on the screen
 * @property {KnowledgeStatus | null} status
 * @property {KnowledgeDocument[]} documents
 * @property {KnowledgeVersion[]} versions
 * @property {KnowledgeFound | null} found
 * @property {KnowledgeReport | null} report
 * @property {Edit | null} edit
 * @property {string} busy what is on its way, empty for nothing
 * @property {number} sent part of an upload that the server has, 0 to 1
 * @property {string} said what was done last, for screen readers
 * @property {string} problem
 */

/** @returns {Library} */
function empty() {
  return { open: false, status: null, documents: [], versions: [], found: null, report: null, edit: null, busy: "", sent: 0, said: "", problem: "" };
}

/** @type {Library} */
export const library = empty();

/** What to do when the session has ended. @type {() => void} */
let signedOut = () => {};

/** @param {() => void} then @returns {void} */
export const whenSignedOut = (then) => {
  signedOut = then;
};

/** Forgets everything of the owner who has signed out. @returns {void} */
export const forgetLibrary = () => {
  Object.assign(library, empty());
};

/**
 * Shows the page or leaves it.
 * @param {boolean} open
 * @returns {void}
 */
export function openLibrary(open) {
  if (library.open === open) return;
  library.open = open;
  if (open) void readLibrary();
}

/**
 * Does one thing at a time and shows what went wrong.
 * @param {string} what
 * @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
async function busy(what, work) {
  if (library.busy) return;
  Object.assign(library, { busy: what, problem: "" });
  changed();
  try {
    await work();
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 401) signedOut();
    else library.problem = error instanceof Error ? error.message : String(error);
  }
  library.busy = "";
  changed();
}

/** Reads the documents and the versions. @returns {Promise<void>} */
export const readLibrary = () => busy("read", fill);

/** @returns {Promise<void>} */
async function fill() {
  const [overview, list] = await Promise.all([api.knowledge(), api.knowledgeVersions()]);
  Object.assign(library, { ...overview, versions: list.versions });
}

/**
 * The server says how the documents stand; a new version has other documents.
 * @param {KnowledgeStatus} status
 * @returns {void}
 */
export function heard(status) {
  const before = library.status;
  const other = before?.version !== status.version || before?.pinned !== status.pinned || before?.published_at !== status.published_at;
  library.status = status;
  if (!library.open || !other) return;
  library.said = `Version ${status.version} answers.`;
  fill().then(changed, () => {}); // The next frame or click reads again.
}

/**
 * @param {string} question
 * @param {Record<string, string>} scope where the visitor would ask from
 * @returns {Promise<void>}
 */
export const search = (question, scope) => busy("search", async () => {
  library.found = await api.searchKnowledge(question, scope);
  library.said = `${library.found.hits.length} passages found.`;
});

/** @param {string} id @returns {Promise<void>} */
export const rollBack = (id) => busy(id, async () => {
  await api.rollBack(id);
});

/** @returns {Promise<void>} */
export const release = () => busy("release", async () => {
  await api.release();
});

/** @returns {Promise<void>} */
export const look = () => busy("check", async () => {
  library.report = await api.checkKnowledge();
  library.said = "The documents were looked over.";
});

/**
 * Opens a document in the editor.
 * @param {string} path
 * @returns {Promise<void>}
 */
export const openDocument = (path) => busy("open", async () => {
  const { text, base } = await api.documentSource(path);
  library.edit = { ...fresh, path, text: text ?? "", foreign: text === null, base };
});

const fresh = { path: "", text: "", foreign: false, file: null, base: null, trial: null, stopped: false, sure: false, problem: "" };

/** What the server knows of a document, null for none. @param {string} path @returns {Promise<{ base: string } | null>} */
async function known(path) {
  const named = library.documents.some((one) => one.path === path) || library.status?.problems.some((one) => one.path === path);
  if (!named) return null;
  try {
    return await api.documentSource(path);
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 404) return null;
    throw error;
  }
}

/**
 * Opens the editor on a new document, or on a file of the owner's computer, which takes the place of one of its name.
 * @param {File | null} file
 * @returns {Promise<void>}
 */
export async function openUpload(file) {
  await busy("open", async () => {
    const path = file?.name ?? "";
    const foreign = file !== null && !/\.(md|txt)$/.test(path);
    const base = file ? (await known(path))?.base ?? null : null;
    const text = file && !foreign ? await file.text() : "";
    library.edit = { ...fresh, path, text, foreign, file: foreign ? file : null, base };
  });
  if (library.edit?.file) await tryEdit();
}

/** @returns {void} */
export function closeEditor() {
  library.edit = null;
  changed();
}

/** @param {Partial<Edit>} change @returns {void} */
export function touchEdit(change) {
  if (library.edit) Object.assign(library.edit, change, { stopped: false, sure: false });
  changed();
}

/**
 * Does something with the edit; what is wrong with it is shown beside it.
 * @param {string} what
 * @param {(edit: Edit) => Promise<void>} work
 * @returns {Promise<void>}
 */
const withEdit = (what, work) => busy(what, async () => {
  const edit = library.edit;
  if (!edit) return;
  edit.problem = "";
  try {
    await work(edit);
  } catch (error) {
    if (!(error instanceof api.ApiError) || error.status === 401) throw error;
    edit.problem = error.message;
    edit.stopped = error.code === "answers_lost";
    if (error.body?.trial) edit.trial = error.body.trial;
  }
});

/** @param {number} part @returns {void} */
function sending(part) {
  library.sent = part;
  changed();
}

/** Has all pages of the web fetched. @returns {Promise<void>} */
export const fetchPages = () => busy("fetch", async () => {
  await api.fetchPages();
  library.said = "The pages are being fetched.";
});

/** Shows what the edit would do. @returns {Promise<void>} */
export const tryEdit = () => withEdit("try", async (edit) => {
  edit.trial = edit.file
    ? await api.sendFile("try", edit.file, { path: edit.path }, sending)
    : await api.tryDocument({ path: edit.path, text: edit.text });
  library.said = `${edit.trial.passages.length} passages.`;
});

/**
 * Writes the document.
 * @param {boolean} insist although right answers become wrong
 * @returns {Promise<void>}
 */
export const saveEdit = (insist) => withEdit("save", async (edit) => {
  if (edit.file) {
    const query = { path: edit.path, all_the_same: String(insist), ...(edit.base && { base: edit.base }) };
    await api.sendFile("save", edit.file, query, sending);
  } else {
    await api.saveDocument({ path: edit.path, text: edit.text, base: edit.base, all_the_same: insist });
  }
  library.edit = null;
  library.said = `${edit.path} is saved.`;
});

/** Deletes the document at the second click. @returns {Promise<void>} */
export const deleteDocument = () => withEdit("delete", async (edit) => {
  if (!edit.sure) {
    edit.sure = true;
    return;
  }
  const insist = edit.stopped;
  await api.saveDocument({ path: edit.path, text: null, base: edit.base, all_the_same: insist });
  library.edit = null;
  library.said = `${edit.path} is deleted.`;
});
