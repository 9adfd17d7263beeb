// Sends one file of the visitor with its progress, and says in words why it did not arrive.

/** Bytes of a file at most, as the server has it. */
const MOST = 10 * 1024 * 1024;

/** @typedef {{ origin: string, conversation: string | null, token: string | null }} Sender */

/**
 * @param {number} bytes
 * @returns {string} in the unit that people would use
 */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * @param {Sender} sender
 * @param {File} file
 * @param {(part: number) => void} progress what the server has of it, from 0 to 1
 * @returns {{ done: Promise<string>, cancel: () => void }} what went wrong, empty for nothing
 */
export function send({ origin, conversation, token }, file, progress) {
  const post = new XMLHttpRequest();
  const done = new Promise((/** @type {(trouble: string) => void} */ resolve) => {
    if (file.size > MOST) return resolve(`This file is too big: ${size(file.size)}, 10 MB is the most.`);
    if (!file.size) return resolve("This file is empty.");
    post.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    post.onerror = () => resolve("The file did not get through. Is the connection back?");
    post.onabort = () => resolve("Cancelled.");
    post.onload = () => resolve(post.status < 300 ? "" : words(post));
    post.open("POST", `${origin}/widget/upload?name=${encodeURIComponent(file.name)}`);
    post.setRequestHeader("X-Porchlight-Conversation", conversation ?? "");
    post.setRequestHeader("X-Porchlight-Token", token ?? "");
    post.send(file);
    return undefined;
  });
  return { done, cancel: () => post.abort() };
}

/** @param {XMLHttpRequest} post one that was refused @returns {string} */
function words(post) {
  try {
    const { message } = JSON.parse(post.responseText).error;
    if (typeof message === "string" && message) return message;
  } catch { /* a proxy may answer in its own words */ }
  return post.status === 413 ? "This file is too big: 10 MB is the most." : `The file was not taken (${post.status}).`;
}
