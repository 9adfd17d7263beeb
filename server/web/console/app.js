// The owner console: chooses between set-up, sign-in and the conversations, and keeps them on the screen.

import { begin, route, setupToken } from "./actions.js";
import { Conversation } from "./conversation.js";
import { Actions } from "./deeds.js";
import { Gaps } from "./gaps.js";
import { Hours } from "./hours.js";
import { Events } from "./events.js";
import { intents } from "./intents.js";
import { Knowledge } from "./knowledge.js";
import { Learned } from "./learned.js";
import { Leads } from "./leads.js";
import { library } from "./library.js";
import { List } from "./list.js";
import { Notices } from "./notices.js";
import { Reviews } from "./reviews.js";
import { rulebook } from "./rulebook.js";
import { Rules } from "./rules.js";
import { saved } from "./saved.js";
import { SavedReplies } from "./saved-page.js";
import { Scorecard } from "./scorecard.js";
import { SetUp, SignIn } from "./signin.js";
import { changed, store, waitingCount } from "./store.js";
import { Tickets } from "./tickets.js";
import { isOpen } from "./work.js";
import { html, render, useEffect, useReducer } from "../vendor/preact.js";

/** @typedef {import("../vendor/preact.js").VNode} VNode */

/** After set-up the one-time link has no more use. @returns {void} */
function afterSetup() {
  history.replaceState(null, "", "#/");
  void begin();
}

/** @type {Record<string, () => VNode>} */
const PAGES = {
  tickets: Tickets, leads: Leads, actions: Actions, reviews: Reviews, hours: Hours, notifications: Notices, events: Events, gaps: Gaps,
  scorecard: Scorecard,
};

/** The page that is open instead of a conversation, null for none. @returns {VNode | null} */
function openPage() {
  if (library.open) return html`<${Knowledge} />`;
  if (rulebook.open) return html`<${Rules} />`;
  if (intents.open) return html`<${Learned} />`;
  if (saved.open) return html`<${SavedReplies} />`;
  const name = Object.keys(PAGES).find(isOpen);
  return name ? html`<${PAGES[name]} key=${name} />` : null;
}

/** The list and beside it the open conversation or page. @returns {VNode} */
function Main() {
  const id = store.detail?.id ?? null;
  const page = openPage();
  return html`<div class="app" data-view=${id || page ? "conversation" : "list"}>
    <${List} />
    ${page ?? html`<${Conversation} id=${id} />`}
    <p class="sr" aria-live="polite">${store.announcement}</p>
  </div>`;
}

/** @returns {VNode} */
function App() {
  const [, redraw] = useReducer((/** @type {number} */ count, /** @type {null} */ _action) => count + 1, 0);
  useEffect(() => {
    const listener = () => redraw(null);
    store.listeners.add(listener);
    document.addEventListener("visibilitychange", listener);
    listener();
    return () => {
      store.listeners.delete(listener);
      document.removeEventListener("visibilitychange", listener);
    };
  }, []);
  const waiting = store.view === "main" ? waitingCount() : 0;
  document.title = `${waiting ? `(${waiting}) ` : ""}Porchlight console`;
  switch (store.view) {
    case "main": return html`<${Main} />`;
    case "setup": return html`<${SetUp} token=${setupToken()} done=${afterSetup} />`;
    case "signin": return html`<${SignIn} done=${() => void begin()} />`;
    case "failed": return html`<p class="loading">The server cannot be reached.
      <button onClick=${() => { store.view = "loading"; changed(); void begin(); }}>Try again</button></p>`;
    default: return html`<p class="loading">Loading…</p>`;
  }
}

const place = document.getElementById("app");
if (place) {
  place.textContent = "";
  render(html`<${App} />`, place);
}
addEventListener("hashchange", route);
void begin();
