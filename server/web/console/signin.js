// The forms for signing in and for setting up the owner with the one-time link.

import * as api from "./api.js";
import { html, useState } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/**
 * What a failed try means, in words.
 * @param {unknown} error
 * @param {boolean} setup
 * @returns {string}
 */
function failure(error, setup) {
  if (!(error instanceof api.ApiError)) return String(error);
  if (error.status === 429) return `Too many wrong tries. Try again in ${error.retryAfter || 60} seconds.`;
  if (error.status === 401 && !setup) return "The e-mail address or the password is wrong.";
  return error.message;
}

/**
 * One labelled field.
 * @param {{ name: string, label: string, type: string, autocomplete: string, min?: number, hint?: string }} props
 * @returns {VNode}
 */
function Field({ name, label, type, autocomplete, min, hint }) {
  return html`<label class="field">
    <span>${label}</span>
    <input name=${name} type=${type} autocomplete=${autocomplete} minlength=${min} required
      aria-describedby=${hint ? `${name}-hint` : undefined} />
    ${hint && html`<small id=${`${name}-hint`}>${hint}</small>`}
  </label>`;
}

/**
 * A form that sends its fields with `submit`, shows what went wrong, and calls `done` when nothing did.
 * @param {{ kind: "signin" | "setup", title: string, note: string, label: string, children?: unknown, submit: (data: FormData) => Promise<unknown>, done: () => void }} props
 * @returns {VNode}
 */
function Gate({ kind, title, note, label, children, submit, done }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    setBusy(true);
    setProblem("");
    try {
      await submit(new FormData(form));
      done();
    } catch (error) {
      setProblem(failure(error, kind === "setup"));
      setBusy(false);
    }
  };
  return html`<main class="gate">
    <form class=${kind} method="post" onSubmit=${onSubmit}>
      <p class="brand">Porchlight</p>
      <h1>${title}</h1>
      <p class="note">${note}</p>
      ${children}
      <p class="problem" role="alert">${problem}</p>
      <button class="primary" disabled=${busy}>${label}</button>
    </form>
  </main>`;
}

/**
 * @param {FormData} data
 * @param {string} name
 * @returns {string}
 */
const text = (data, name) => String(data.get(name) ?? "");

/**
 * @param {{ done: () => void }} props
 * @returns {VNode}
 */
export function SignIn({ done }) {
  return html`<${Gate} kind="signin" title="Sign in" label="Sign in" done=${done}
    note="Lost the password? Run “porchlight reset-owner” on the machine that Porchlight runs on."
    submit=${(/** @type {FormData} */ data) => api.login({ email: text(data, "email").trim(), password: text(data, "password") })}>
    <${Field} name="email" label="E-mail" type="email" autocomplete="username" />
    <${Field} name="password" label="Password" type="password" autocomplete="current-password" />
  <//>`;
}

/**
 * @param {{ token: string, done: () => void }} props
 * @returns {VNode}
 */
export function SetUp({ token, done }) {
  if (!token) {
    return html`<main class="gate"><div class="card">
      <p class="brand">Porchlight</p>
      <h1>Almost there</h1>
      <p>Nobody owns this console yet. Open the one-time set-up link that Porchlight printed when it started.</p>
      <p class="note">Is it gone? Run “porchlight reset-owner”: it prints a fresh one.</p>
    </div></main>`;
  }
  return html`<${Gate} kind="setup" title="Set up your console" label="Create the owner" done=${done}
    note="You sign in with these. They stay on this machine."
    submit=${(/** @type {FormData} */ data) => api.setup({
      token, name: text(data, "name").trim(), email: text(data, "email").trim(), password: text(data, "password"),
    })}>
    <${Field} name="name" label="Your name" type="text" autocomplete="name" hint="Visitors see it on your messages." />
    <${Field} name="email" label="E-mail" type="email" autocomplete="username" />
    <${Field} name="password" label="Password" type="password" autocomplete="new-password" min=${12}
      hint="12 characters or more." />
  <//>`;
}
