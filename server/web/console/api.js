// The owner's commands: JSON requests to `/console/api/`.

/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Opened} Opened */
/** @typedef {import("./types.js").Me} Me */

/** A request that the server refused, or that never reached it (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {number} retryAfter seconds, 0 for none
   * @param {any} [body] the whole answer
   */
  constructor(status, code, message, retryAfter, body) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

/**
 * One request; the parsed answer, or null for an empty one.
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function request(method, path, body) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`/console/api/${path}`, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: method === "POST" ? { "Content-Type": "application/json" } : {},
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      signal: AbortSignal.timeout(/^(knowledge|notifications|gaps)\//.test(path) ? 60000 : 15000),
    });
  } catch {
    throw new ApiError(0, "offline", "The server cannot be reached.", 0);
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return answer;
  const error = answer?.error ?? {};
  const wait = Number(response.headers.get("Retry-After")) || 0;
  throw new ApiError(response.status, error.code ?? "unknown", error.message ?? `The server answered ${response.status}.`, wait, answer);
}

/** @param {string} id @returns {string} */
const at = (id) => `conversations/${encodeURIComponent(id)}`;

/** @returns {Promise<Me>} */
export const me = () => request("GET", "me");

/**
 * @param {{ token: string, name: string, email: string, password: string }} owner
 * @returns {Promise<null>}
 */
export const setup = (owner) => request("POST", "setup", owner);

/**
 * @param {{ email: string, password: string }} who
 * @returns {Promise<null>}
 */
export const login = (who) => request("POST", "login", who);

/** @returns {Promise<null>} */
export const logout = () => request("POST", "logout");

/** @returns {Promise<{ ticket: string }>} */
export const ticket = () => request("POST", "ticket");

/** @returns {Promise<{ conversations: Summary[] }>} */
export const conversations = () => request("GET", "conversations");

/** @param {string} id @returns {Promise<Opened>} */
export const conversation = (id) => request("GET", at(id));

/** @param {string} id @returns {Promise<null>} */
export const take = (id) => request("POST", `${at(id)}/take`);

/** @param {string} id @returns {Promise<null>} */
export const handBack = (id) => request("POST", `${at(id)}/hand-back`);

/** @param {string} id @returns {Promise<null>} */
export const close = (id) => request("POST", `${at(id)}/close`);

/**
 * @param {string} id
 * @param {{ client_msg_id: string, text: string, suggestion: string | null, template: string | null }} message
 * @returns {Promise<{ seq: number }>}
 */
export const send = (id, message) => request("POST", `${at(id)}/messages`, message);

/**
 * @param {string} id
 * @param {string} suggestion
 * @returns {Promise<null>}
 */
export const discard = (id, suggestion) =>
  request("POST", `${at(id)}/suggestions/${encodeURIComponent(suggestion)}/discard`);

/** @returns {Promise<{ replies: import("./types.js").SavedReply[] }>} */
export const savedReplies = () => request("GET", "saved-replies");

/** @typedef {{ title: string, text: string, intent: string | null }} ReplyBody */

/** @param {ReplyBody} reply @returns {Promise<import("./types.js").SavedReply>} */
export const addReply = (reply) => request("POST", "saved-replies", reply);

/** @param {string} id @param {ReplyBody} reply @returns {Promise<import("./types.js").SavedReply>} */
export const editReply = (id, reply) => request("POST", `saved-replies/${encodeURIComponent(id)}`, reply);

/** @param {string} id @returns {Promise<null>} */
export const deleteReply = (id) => request("POST", `saved-replies/${encodeURIComponent(id)}/delete`);

/** @returns {Promise<{ prompts: import("./types.js").Prompts, examples: import("./types.js").Example[] }>} */
export const intents = () => request("GET", "intents");

/** @param {string} id @param {number} seq @param {string} intent @returns {Promise<null>} */
export const correctTag = (id, seq, intent) => request("POST", `${at(id)}/tags/${seq}`, { intent });

/** @param {string} id @returns {Promise<null>} */
export const forgetExample = (id) => request("POST", `intents/examples/${encodeURIComponent(id)}/forget`);

/** @returns {Promise<{ status: import("./types.js").KnowledgeStatus, documents: import("./types.js").KnowledgeDocument[] }>} */
export const knowledge = () => request("GET", "knowledge");

/** @returns {Promise<{ versions: import("./types.js").KnowledgeVersion[] }>} */
export const knowledgeVersions = () => request("GET", "knowledge/versions");

/**
 * @param {string} question
 * @param {Record<string, string>} scope where the visitor would ask from
 * @returns {Promise<import("./types.js").KnowledgeFound>}
 */
export const searchKnowledge = (question, scope) => request("POST", "knowledge/search", { question, scope });

/** @param {string} id @returns {Promise<null>} */
export const rollBack = (id) => request("POST", "knowledge/rollback", { id });

/** @returns {Promise<null>} */
export const release = () => request("POST", "knowledge/release");

/** @returns {Promise<import("./types.js").KnowledgeReport>} */
export const checkKnowledge = () => request("GET", "knowledge/check");

/** @returns {Promise<import("./types.js").Rules>} */
export const rules = () => request("GET", "rules");

/**
 * @param {number | null} share of wrong answers among those sent, 0 to 1; null leaves it to policy.toml
 * @returns {Promise<import("./types.js").Tuning>}
 */
export const allowWrong = (share) => request("POST", "rules/wrong", { at_most_wrong: share });

/** @returns {Promise<null>} */
export const fetchPages = () => request("POST", "knowledge/fetch");

/**
 * Uploads a file as it is; `sent` is told which part of it the server has, from 0 to 1.
 * @param {"try" | "save"} what
 * @param {File} file
 * @param {Record<string, string>} query
 * @param {(part: number) => void} sent
 * @returns {Promise<import("./types.js").KnowledgeTrial>}
 */
export function sendFile(what, file, query, sent) {
  return new Promise((resolve, reject) => {
    const upload = new XMLHttpRequest();
    upload.open("POST", `/console/api/knowledge/upload/${what}?${new URLSearchParams(query)}`);
    upload.setRequestHeader("Content-Type", "application/octet-stream");
    upload.responseType = "json";
    upload.timeout = 180000;
    upload.upload.onprogress = (event) => sent(event.total > 0 ? event.loaded / event.total : 0);
    upload.onerror = () => reject(new ApiError(0, "offline", "The server cannot be reached.", 0));
    upload.ontimeout = () => reject(new ApiError(0, "slow", "The server did not answer in three minutes.", 0));
    upload.onload = () => {
      if (upload.status < 300) return resolve(upload.response);
      const error = upload.response?.error ?? {};
      reject(new ApiError(upload.status, error.code ?? "unknown", error.message ?? `The server answered ${upload.status}.`, 0, upload.response));
    };
    upload.send(file);
  });
}

/** @param {string} path @returns {Promise<{ path: string, text: string | null, base: string }>} */
export const documentSource = (path) => request("GET", `knowledge/document?path=${encodeURIComponent(path)}`);

/**
 * @param {{ path: string, text: string | null }} edit
 * @returns {Promise<import("./types.js").KnowledgeTrial>}
 */
export const tryDocument = (edit) => request("POST", "knowledge/try", edit);

/**
 * @param {{ path: string, text: string | null, base: string | null, all_the_same: boolean }} edit
 * @returns {Promise<import("./types.js").KnowledgeTrial>}
 */
export const saveDocument = (edit) => request("POST", "knowledge/save", edit);

/**
 * A fresh `client_msg_id`: 32 hex digits.
 * @returns {string}
 */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
