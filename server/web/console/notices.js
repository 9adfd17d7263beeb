// The page "Notifications": who is told what and where, what was sent, and this browser's own notifications.

import * as desk from "./desk.js";
import { plain } from "./format.js";
import { Sheet, When } from "./sheet.js";
import { changed, store } from "./store.js";
import { doOne, register } from "./work.js";
import { html } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */
/** @typedef {import("./types.js").Notifications} Told */

/** @type {Record<string, string>} */
const EVENTS = {
  first_message: "First message", hand_off: "A person is asked for", unanswered: "Nobody has answered", promise_due: "A promise is about to break",
  new_lead: "New lead", new_ticket: "New ticket", follow_up: "Follow-up", approval: "An action waits for your yes", weekly_scorecard: "Figures of the week", test: "Test",
};
/** @type {Record<string, string>} */
const STATUS = { queued: "Waits", sent: "Sent", failed: "Failed", digest: "Kept for the digest" };
/** @type {Record<string, string>} */
const KINDS = { mail: "E-mail", webhook: "Webhook", ntfy: "ntfy", browser: "Browser" };

/** @returns {Promise<boolean>} */
const read = () => doOne(page, "read", async () => {
  page.told = await desk.notifications();
});

const page = register("notifications", () => ({
  told: /** @type {Told | null} */ (null),
  /** what came of a test, by channel @type {Record<string, string>} */
  tests: {},
}), read);

/** Sends a test; what the other side says stands beside the channel. @param {string} channel @returns {Promise<boolean>} */
const test = (channel) => doOne(page, channel, async () => {
  page.tests[channel] = "Being sent…";
  page.tests[channel] = await desk.testChannel(channel).then(() => "It was taken.", (/** @type {Error} */ error) => error.message);
  page.said = page.tests[channel];
});

/** What the browser says about notifications. @returns {NotificationPermission | "none"} */
const permission = () => (typeof Notification === "function" ? Notification.permission : "none");

/** Asks the owner's browser; only ever after a press of the button. @returns {Promise<void>} */
async function allow() {
  await Notification.requestPermission();
  changed();
}

/**
 * The server tells something: shown by the browser while nobody looks at this page, else read out.
 * @param {import("./types.js").NoticeFrame} frame
 * @returns {void}
 */
export function tell({ title, text, conversation, event }) {
  store.announcement = title;
  if (permission() !== "granted" || document.visibilityState === "visible") return;
  try {
    const note = new Notification(title, { body: text, tag: `${event} ${conversation ?? ""}` });
    note.onclick = () => {
      window.focus();
      if (conversation) location.hash = `#/c/${conversation}`;
      note.close();
    };
  } catch { /* some browsers of phones have no such notifications for pages */ }
}

/** @returns {VNode} */
function Here() {
  const now = permission();
  /** @type {Record<string, string>} */
  const words = {
    granted: "On. They are shown while this page is open in the background.",
    denied: "This browser blocks them for this address. Its settings for this page change that.",
    default: "Off. They would be shown while this page is open in the background.",
    none: "This browser shows none here. It needs https, or this machine itself.",
  };
  return html`<section aria-labelledby="here-title">
    <h3 id="here-title">This browser</h3>
    <p>${words[now]}</p>
    ${now === "default" && html`<p class="buttons"><button class="allow-notices" onClick=${() => void allow()}>Allow notifications here</button></p>`}
  </section>`;
}

/** @param {{ told: Told }} props @returns {VNode} */
function Channels({ told }) {
  return html`<section aria-labelledby="channels-title">
    <h3 id="channels-title">Where you are told</h3>
    <p class="note">Written in prompts/notify.toml.${told.quiet ? ` Quiet from ${told.quiet.replace("-", " to ")}: what is not urgent comes afterwards, all in one.` : ""}</p>
    ${told.channels.length === 0 ? html`<p class="note">No channel is set: you are told in this console only.</p>` : html`<ul class="findings">${told.channels.map((one) => html`<li class="finding" key=${one.id}>
      <p><strong>${KINDS[one.kind] ?? one.kind}</strong> <bdi>${one.target}</bdi>
        <button class="test" disabled=${page.busy !== ""} aria-label=${`Send a test to ${one.target || one.id}`} onClick=${() => void test(one.id)}>Send a test</button></p>
      ${one.problem && html`<p class="trouble">${one.problem}</p>`}
      ${page.tests[one.id] && html`<p role="status">${page.tests[one.id]}</p>`}
    </li>`)}</ul>`}
    ${told.routes.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-labelledby="channels-title"><table>
      <thead><tr><th scope="col">When</th><th scope="col">To</th><th scope="col">In quiet hours</th></tr></thead>
      <tbody>${told.routes.map((one, n) => html`<tr key=${n}><th scope="row">${EVENTS[one.event] ?? plain(one.event)}</th><td>${one.to.join(", ")}</td>
        <td>${one.urgent ? "At once" : "Afterwards"}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;
}

/** @param {{ told: Told }} props @returns {VNode} */
function Recent({ told }) {
  return html`<section aria-labelledby="recent-title">
    <h3 id="recent-title">What was sent</h3>
    ${told.recent.length === 0 ? html`<p class="note">Nothing yet.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="recent-title"><table>
      <thead><tr><th scope="col">What</th><th scope="col">To</th><th scope="col">State</th><th scope="col">When</th></tr></thead>
      <tbody>${told.recent.map((one) => html`<tr key=${one.id} class=${one.status === "failed" ? "bad" : ""}><th scope="row">${one.conversation
        ? html`<a href=${`#/c/${one.conversation}`}>${EVENTS[one.event] ?? plain(one.event)}</a>` : EVENTS[one.event] ?? plain(one.event)}</th>
        <td>${one.channel}</td>
        <td>${STATUS[one.status] ?? plain(one.status)}${one.attempts > 1 ? `, ${one.attempts} tries` : ""}${one.error && html`<span class="saved-text">${one.error}</span>`}</td>
        <td><${When} at=${one.at} /></td></tr>`)}</tbody>
    </table></div>`}
  </section>`;
}

/** @returns {VNode} */
export function Notices() {
  const { told } = page;
  return html`<${Sheet} page=${page} title="Notifications" read=${read}>
    ${told === null ? html`<p class="empty">${page.problem ? "" : "Loading…"}</p>` : html`
      ${told.problem && html`<p class="notice bad" role="alert">${told.problem}</p>`}
      <${Channels} told=${told} />`}
    <${Here} />
    ${told && html`<${Recent} told=${told} />`}
  <//>`;
}
