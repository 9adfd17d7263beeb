// The open widget: header, messages, the field to write in, and what each event of the link means for them.

import { Cards, digits } from "./cards.js";
import { CitationView } from "./cite.js";
import { button, el, icon, PATHS } from "./dom.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Solved } from "./solved.js";
import { CSS } from "./style.js";

/** @typedef {import("./frames.js").Citation} Citation */
/**
 * @typedef {{ root: ShadowRoot, origin: string, scope: Record<string, string>, launcher: HTMLElement,
 *   changed: (open: boolean, unread: number) => void }} Place
 */

const LINES = {
  connecting: "Connecting…",
  online: "",
  offline: "Reconnecting… your messages are kept",
  stopped: "This chat was updated. Please reload the page to go on.",
};
const MOST_ROWS = 6;
const CLOSED = "This conversation is closed";
const THANKS = "Thank you for your feedback";

export class Panel {
  /** @param {Place} place */
  constructor({ root, origin, scope, launcher, changed }) {
    this.launcher = launcher;
    this.changed = changed;
    this.unread = 0;
    /** @type {import("./frames.js").State} */
    this.state = "bot";
    this.generation = 0;
    /** @type {import("./frames.js").Status} */
    this.connection = "connecting";
    /** @type {number | null} */
    this.queue = null;
    this.ownerRead = 0;
    /** @type {HTMLElement | null} */
    this.cameFrom = null;
    this.panel = el("div", "panel", "", { role: "dialog", "aria-label": "Chat" });
    this.name = el("h1", "", "Chat");
    this.presence = el("p", "presence");
    this.line = el("div", "line", "", { role: "status" });
    this.main = el("div", "main");
    this.trouble = el("div", "trouble", "", { role: "status" });
    this.form = el("form", "composer");
    this.field = el("textarea", "", "", { rows: "1", maxlength: "4000", placeholder: "Write a message…", "aria-label": "Your message" });
    this.sender = button("send", "Send", () => this.submit(), PATHS.send);
    this.person = button("person", "", () => this.ask());
    this.personText = el("span", "", "Talk to a person");
    this.ender = button("ender", "End chat", () => this.resolve());
    this.over = el("div", "over");
    this.overText = el("p", "", CLOSED);
    this.back = button("again", "Write again here", () => this.writeAgain());
    /** the visitor writes on in a closed conversation */
    this.again = false;
    /** the visitor has closed it: the focus goes on to what is asked */
    this.mine = false;
    /** what is asked after the chat @type {import("./frames.js").Survey | null} */
    this.asked = null;
    /** @type {import("./survey.js").Questions | null} */
    this.questions = null;
    this.solved = new Solved({ resolve: () => this.resolve(), focus: () => this.field.focus({ preventScroll: true }), change: (act) => this.log.change(act) });
    this.cards = new Cards({
      say: (text) => this.post(text),
      answer: (frame) => this.link.answer(frame),
      sender: () => ({ origin, conversation: this.link.conversation, token: this.link.token }),
      change: (act) => this.log.change(act),
      done: () => this.field.focus({ preventScroll: true }),
    });
    this.log = new Log((citation, from) => this.cite(citation, from), (id, again) => this.retry(id, again), (message) => this.cards.show(message));
    this.citation = new CitationView(origin, () => this.uncite());
    this.link = new Link(origin, scope, (event) => this.on(event));
    this.build();
    this.dress(root);
    root.append(this.panel);
    document.addEventListener("visibilitychange", () => this.seen());
  }

  /** @returns {void} */
  build() {
    const { panel, field, main, over, person } = this;
    panel.hidden = over.hidden = true;
    const row = el("div", "row");
    row.append(field, this.sender);
    person.append(icon(PATHS.person), this.personText);
    const low = el("div", "low");
    low.append(person, this.ender);
    this.form.append(row, low);
    over.append(this.overText, this.back, button("new", "Start a new one", () => this.restart()));
    main.append(this.log.root, this.trouble, this.form, over);
    panel.append(this.header(), this.line, main, this.citation.root);
    panel.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["keyup", "keypress"]) panel.addEventListener(name, (event) => event.stopPropagation());
    field.addEventListener("input", () => {
      this.grow();
      this.link.typing(field.value !== "");
    });
    this.receiveFiles();
  }

  /** Takes files that are dropped or pasted; the browser does not open them in place of the page. */
  receiveFiles() {
    const { panel } = this;
    const take = (/** @type {DragEvent | ClipboardEvent} */ event, /** @type {DataTransfer | null} */ data) => {
      if (!data?.types.includes("Files")) return;
      event.preventDefault();
      panel.classList.toggle("drop", event.type === "dragover" && Boolean(this.cards.live?.files));
      const files = [...data.files];
      if (!files.length || event.type === "dragover") return;
      this.say(this.cards.live?.files ? "" : "No file is asked for just now.");
      this.cards.live?.files?.(files);
    };
    panel.addEventListener("dragover", (event) => take(event, event.dataTransfer));
    panel.addEventListener("drop", (event) => take(event, event.dataTransfer));
    panel.addEventListener("dragleave", () => panel.classList.remove("drop"));
    panel.addEventListener("paste", (event) => take(event, event.clipboardData));
  }

  /** @returns {HTMLElement} */
  header() {
    const header = el("header");
    const face = el("span", "face");
    const words = el("div", "words");
    face.append(icon(PATHS.lamp));
    words.append(this.name, this.presence);
    header.append(face, words, button("close", "Close chat", () => this.close(), PATHS.close));
    return header;
  }

  /**
   * Adds the styles, and on phones follows the part of the screen the keyboard leaves free.
   * @param {ShadowRoot} root
   */
  dress(root) {
    const sheet = new CSSStyleSheet();
    const fit = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet, fit];
    const view = window.visualViewport;
    view?.addEventListener("resize", () => {
      const rule = `@media (max-width: 479px) { .panel { height: ${view.height}px; top: ${view.offsetTop}px; } }`;
      fit.replaceSync(view.scale > 1.01 ? "" : rule);
      this.log.toEnd();
    });
  }

  /** @returns {void} */
  toggle() {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  /** Shows the panel; the first time connects. */
  open() {
    this.panel.hidden = false;
    this.unread = 0;
    this.changed(true, 0);
    this.link.open();
    this.link.line.attend(true);
    this.log.toEnd();
    this.field.focus({ preventScroll: true });
    this.seen();
  }

  /** Hides the panel and gives the focus back to the button. */
  close() {
    this.citation.close();
    this.panel.hidden = true;
    this.link.typing(false);
    this.link.line.attend(false);
    this.changed(false, this.unread);
    this.launcher.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    event.stopPropagation(); // the page's shortcuts are not meant for what is written here
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.citation.open) this.citation.close();
      else this.close();
    } else if (event.key === "Enter" && !event.shiftKey && event.composedPath()[0] === this.field) {
      event.preventDefault();
      this.submit();
    }
  }

  /** Makes the field as high as its text, up to a limit. */
  grow() {
    const { field } = this;
    field.rows = 1;
    const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(field);
    const inside = field.scrollHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    field.rows = Math.max(1, Math.min(MOST_ROWS, Math.round(inside / parseFloat(lineHeight))));
  }

  /** @returns {void} */
  submit() {
    const { field } = this;
    const text = field.value.trim();
    const code = this.cards.live?.code && digits(text);
    if (!text || field.disabled) return;
    if (code) this.cards.live?.code?.(code); // a code never goes the way of a message, which is kept
    else if (!this.post(text)) return;
    field.value = "";
    this.grow();
    field.focus({ preventScroll: true });
  }

  /**
   * @param {string} text
   * @returns {boolean} whether there was room for it
   */
  post(text) {
    const id = this.link.send(text);
    if (id) {
      this.solved.drop();
      this.log.addOwn(id, text);
    }
    this.say(id ? "" : "Too many messages wait to be sent.");
    return id !== null;
  }

  /**
   * @param {string} id of a message that was not sent
   * @param {boolean} again it is sent again, or else forgotten
   */
  retry(id, again) {
    const text = this.link.takeBack(id);
    if (text === null) return;
    this.log.removeOwn(id);
    if (again) this.post(text);
    this.field.focus({ preventScroll: true });
  }

  /** @returns {void} */
  ask() {
    this.link.askPerson();
    this.settle();
    this.field.focus({ preventScroll: true });
  }

  /** The visitor is content, or has had enough. @returns {void} */
  resolve() {
    this.mine = true;
    this.ender.disabled = true;
    this.link.resolve();
  }

  /** @returns {void} */
  writeAgain() {
    this.again = true;
    this.settle();
    this.field.focus({ preventScroll: true });
  }

  /** @returns {void} */
  restart() {
    this.state = "bot";
    this.generation = 0;
    this.link.startNew();
    void this.survey(null);
    this.settle();
    this.field.focus({ preventScroll: true });
  }

  /**
   * @param {Citation} citation
   * @param {HTMLElement} from
   */
  cite(citation, from) {
    this.cameFrom = from;
    this.main.inert = true;
    this.citation.show(citation);
  }

  /** Goes back to where the citation was opened. */
  uncite() {
    this.main.inert = false;
    (this.cameFrom?.isConnected ? this.cameFrom : this.field).focus();
    this.cameFrom = null;
  }

  /** @param {string} text a line about trouble, or nothing */
  say(text) {
    const { trouble } = this;
    if (trouble.textContent !== text) this.log.change(() => { trouble.textContent = text; });
  }

  /** Marks everything as read while the visitor can see it. */
  seen() {
    if (!this.panel.hidden && document.visibilityState === "visible") this.link.read();
  }

  /** @param {(Node | null)[]} nodes @returns {boolean} whether the focus is in one of them */
  holds(...nodes) {
    const { activeElement } = /** @type {ShadowRoot} */ (this.panel.getRootNode());
    return nodes.some((one) => one?.contains(activeElement));
  }

  /** @returns {void} */
  settle() {
    if (this.state !== "closed") {
      this.again = false;
      this.mine &&= this.link.ending;
      this.overText.textContent = CLOSED;
    }
    const closed = this.state === "closed" && !this.again;
    const asked = this.state === "waiting" || this.state === "owner";
    const focused = closed && this.holds(this.form, this.solved.row);
    this.form.hidden = closed;
    this.over.hidden = !closed;
    this.ender.hidden = this.state === "closed" || !this.link.conversation;
    this.ender.disabled = this.link.ending;
    if (this.state !== "bot") this.solved.drop();
    if (focused) this.back.focus({ preventScroll: true });
    this.head();
    if (closed || this.state === "owner") this.log.receipts(this.ownerRead);
    this.person.disabled = asked || this.link.asking;
    this.personText.textContent = asked ? "A person has been asked" : this.link.asking ? "Asking for a person…" : "Talk to a person";
    if (closed || this.state === "owner") this.log.endAll();
    if (closed) this.cards.retire();
  }

  /** The line under the header. */
  head() {
    const waits = this.state === "waiting" && this.queue;
    const text = LINES[this.connection] || (waits ? `You are number ${waits} in line` : "");
    if (this.line.textContent !== text) this.log.change(() => { this.line.textContent = text; });
  }

  /** @param {boolean} online whether an owner is there */
  here(online) {
    this.presence.textContent = online ? "A person is here" : "Automatic answers, a person can join";
    this.presence.classList.toggle("on", online);
  }

  /** @param {import("./frames.js").LinkEvent} event */
  on(event) {
    switch (event.type) {
      case "status": return this.status(event.status);
      case "welcome": return this.welcome(event);
      case "message": return this.message(event);
      case "draft": return this.automatic() ? this.log.draft(event) : undefined;
      case "typing":
        if (event.from === "owner" || this.automatic()) this.log.typing(event.from, event.on, event.expires_ms, event.status);
        return;
      case "state": return this.holder(event);
      case "presence": return this.here(event.owner_online);
      case "receipts": this.ownerRead = event.owner_read; return this.settle();
      case "queue": this.queue = event.place; return this.settle();
      case "survey": return void this.survey(event.survey);
      case "unsent": return this.log.addOwn(event.entry.id, event.entry.text, event.entry.failed);
      case "sent": this.say(""); return this.log.mark(event.id, "sent");
      case "failed": return this.log.mark(event.id, "failed");
      case "reset": return this.reset(event.restored);
      case "error": return this.error(event);
    }
  }

  /** @returns {boolean} whether automatic text may appear now */
  automatic() {
    return this.state !== "owner" && this.state !== "closed";
  }

  /** @param {import("./frames.js").Status} status */
  status(status) {
    this.connection = status;
    this.head();
    if (status !== "online") this.log.endAll();
    if (status === "stopped") this.field.disabled = this.sender.disabled = true;
  }

  /**
   * Who holds the conversation; news that comes late changes nothing.
   * @param {{ state: import("./frames.js").State, generation: number }} frame
   */
  holder({ state, generation }) {
    if (generation < this.generation) return;
    this.state = state;
    this.generation = generation;
    this.settle();
  }

  /** @param {import("./frames.js").Welcome} frame */
  welcome(frame) {
    this.state = frame.state;
    this.generation = frame.generation;
    this.queue = frame.queue ?? null;
    this.ownerRead = frame.owner_read ?? 0;
    this.panel.setAttribute("aria-label", frame.site.name);
    this.name.textContent = frame.site.name;
    this.here(frame.owner_online);
    this.log.greet(frame.site.greeting);
    this.solved.on = frame.ask_solved ?? false;
    void this.survey(frame.survey ?? null);
    this.settle();
  }

  /** Shows what is asked after the chat, or nothing. @param {import("./frames.js").Survey | null} survey */
  async survey(survey) {
    const { rated } = this.link;
    const said = rated && (rated.type === "survey_decline" || rated.comment !== null);
    this.asked = said && survey?.id === rated.id ? null : survey; // what comes back from the first tap is late
    if (!this.asked && !this.questions) return;
    this.questions ??= await this.fetchQuestions();
    if (!this.questions) return;
    const { questions, asked } = this;
    const moves = this.mine && this.holds(this.over);
    this.log.change(() => questions.show(asked));
    if (asked && moves) questions.focus();
  }

  /** @returns {Promise<import("./survey.js").Questions | null>} null where it cannot be had: then nothing is asked */
  async fetchQuestions() {
    const module = await import("./survey.js").catch(() => null);
    if (!module || this.questions) return this.questions;
    const root = /** @type {ShadowRoot} */ (this.panel.getRootNode());
    const questions = new module.Questions({ answer: (frame) => this.rate(frame), done: () => (this.form.hidden ? this.back : this.field).focus({ preventScroll: true }) }, root);
    this.form.before(questions.said, questions.node);
    return questions;
  }

  /** @param {import("./frames.js").SurveyAnswer} frame */
  rate(frame) {
    if (frame.type === "survey_answer" && frame.comment !== null) this.overText.textContent = THANKS;
    this.link.rate(frame);
  }

  /** @param {import("./frames.js").Message} frame */
  message(frame) {
    this.log.add(frame);
    this.solved.message(frame, this.state === "bot" ? this.log.root.querySelector(`[data-seq="${frame.seq}"]`) : null);
    this.ender.hidden = this.state === "closed" || !this.link.conversation;
    this.ender.disabled = this.link.ending;
    if (this.panel.hidden && (frame.from === "bot" || frame.from === "owner")) {
      this.unread += 1;
      this.changed(false, this.unread);
    }
    this.seen();
  }

  /** @param {boolean} restored */
  reset(restored) {
    this.ownerRead = 0;
    this.log.reset();
    this.solved.row = null;
    this.cards.live = null;
    if (restored) this.log.note("The history was restored.");
  }

  /** @param {import("./frames.js").ErrorFrame} frame */
  error(frame) {
    const gone = frame.code === "unknown_conversation";
    this.say(gone ? "The earlier conversation is no longer available. A new one has begun." : frame.message);
  }
}
