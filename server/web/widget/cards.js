// Cards beside a message: quick replies, a question to confirm, a code, a result, an upload, a file. Only the newest can be used.

import { button, el, icon, PATHS } from "./dom.js";
import { send, size } from "./upload.js";

/** @typedef {import("./frames.js").Card} Card */
/** @typedef {import("./frames.js").Row} Row */
/**
 * What a card asks of the panel.
 * @typedef {object} Deeds
 * @property {(text: string) => boolean} say sends a message; whether there was room for it
 * @property {(frame: import("./frames.js").CardAnswer) => void} answer
 * @property {() => import("./upload.js").Sender} sender whose file it is
 * @property {(act: () => void) => void} change changes what is shown and stays at its end
 * @property {() => void} done gives the focus back to the field
 */
/**
 * The card that can be used: what ends that, where the focus goes when it takes the place of a used one, and what it takes.
 * @typedef {{ node: HTMLElement, retire: () => void, focus?: HTMLElement, code?: (code: string) => void, files?: (files: File[]) => void }} Live
 */

const TYPES = "image/png,image/jpeg,image/gif,image/webp,application/pdf,text/plain,.txt,.log";
/** Files that one choice may hold. */
const MOST_FILES = 5;

/**
 * @param {string} text as somebody types or pastes it: full-width digits, spaces, dashes
 * @returns {string} its six digits, empty when it is no code
 */
export function digits(text) {
  const bare = text.normalize("NFKC").replace(/[\s\u200b-\u200f\u2060-\u2069\ufeff.-]/g, "");
  return /^[0-9]{6}$/.test(bare) ? bare : "";
}

export class Cards {
  /** @param {Deeds} deeds */
  constructor(deeds) {
    this.deeds = deeds;
    /** @type {Live | null} */
    this.live = null;
    this.count = 0;
  }

  /**
   * A stored message has come, in order: the card before it has had its time.
   * @param {import("./frames.js").Message} message
   * @returns {HTMLElement | null} its own card
   */
  show(message) {
    const had = message.from !== "system" && this.retire();
    const node = message.card ? this.build(message.card) : null;
    // Who used the keyboard in the card before goes on in this one.
    if (had) setTimeout(() => (this.live?.focus ? this.live.focus.focus() : this.deeds.done()));
    return node;
  }

  /** Ends the card that can be used. @returns {boolean} whether the focus was in it */
  retire() {
    const live = this.live;
    this.live = null;
    const root = /** @type {ShadowRoot | undefined} */ (live?.node.getRootNode());
    const had = Boolean(live?.node.contains(root?.activeElement ?? null));
    live?.retire();
    return had;
  }

  /**
   * @param {Card} card
   * @returns {HTMLElement | null} null for a kind that is not known here
   */
  build(card) {
    switch (card.kind) {
      case "choices": return this.choices(card.options);
      case "confirm": return this.confirm(card);
      case "code": return this.code(card.to);
      case "result": return this.frame("result", card.title, card.rows);
      case "upload": return this.upload(card.what);
      case "file": return this.file(card);
      default: return null;
    }
  }

  /**
   * @param {string} kind
   * @param {string} title
   * @param {Row[]} rows
   * @returns {HTMLElement} a frame with a title and named values
   */
  frame(kind, title, rows = []) {
    const node = el("div", `card ${kind}`, "", { role: "group", "aria-label": title });
    node.append(el("p", "title", title, { dir: "auto" }));
    const list = el("dl");
    for (const { label, value } of rows) list.append(el("dt", "", label, { dir: "auto" }), el("dd", "", value, { dir: "auto" }));
    if (rows.length) node.append(list);
    return node;
  }

  /** @param {string[]} options @returns {HTMLElement} */
  choices(options) {
    const node = el("div", "choices", "", { role: "group", "aria-label": "Quick replies" });
    for (const option of options) {
      const choose = button("choice", option, () => {
        if (!this.deeds.say(option)) return;
        this.retire();
        this.deeds.done();
      });
      choose.dir = "auto";
      node.append(choose);
    }
    this.live = { node, retire: () => node.remove() };
    return node;
  }

  /** @param {{ request: string, title: string, rows: Row[] }} card @returns {HTMLElement} */
  confirm({ request, title, rows }) {
    const node = this.frame("confirm", title, rows);
    const row = el("div", "deeds");
    const choose = (/** @type {boolean} */ yes) => {
      this.deeds.answer({ type: "confirm", request, yes });
      this.live = null;
      row.replaceWith(el("p", "chosen", yes ? "✓ Confirmed" : "Cancelled", { role: "status" }));
      this.deeds.done();
    };
    row.append(button("yes", "Confirm", () => choose(true)), button("not", "Cancel", () => choose(false)));
    node.append(row);
    this.live = { node, retire: () => row.remove() };
    return node;
  }

  /** @param {string} to the address it was sent to, masked @returns {HTMLElement} */
  code(to) {
    const id = `code-${(this.count += 1)}`;
    const node = el("form", "card code", "", { novalidate: "" });
    const label = el("label", "title", "Code sent to ", { for: id });
    label.append(el("bdi", "", to));
    const field = el("input", "", "", { id, inputmode: "numeric", autocomplete: "one-time-code", maxlength: "24", placeholder: "6 digits",
      "aria-describedby": `${id}-said` });
    const sender = el("button", "yes", "Send the code", { type: "submit" });
    const said = el("p", "said", "", { id: `${id}-said`, role: "status" });
    const row = el("div", "row");
    row.append(field, sender);
    node.append(label, row, said);
    const enter = (/** @type {string} */ code) => {
      field.setAttribute("aria-invalid", String(!code));
      this.deeds.change(() => { said.textContent = code ? "Checking the code…" : "A code has six digits."; });
      if (!code || field.readOnly) return;
      field.readOnly = sender.disabled = true;
      this.deeds.answer({ type: "code", code });
    };
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      enter(digits(field.value));
      field.focus();
    });
    const retire = () => {
      field.value = "";
      row.remove();
      said.remove();
    };
    this.live = { node, retire, focus: field, code: enter };
    return node;
  }

  /** @param {string} what is asked for @returns {HTMLElement} */
  upload(what) {
    const node = this.frame("upload", what.charAt(0).toUpperCase() + what.slice(1));
    const picker = el("input", "sr", "", { type: "file", accept: TYPES, multiple: "", tabindex: "-1", "aria-hidden": "true" });
    const choose = button("yes", "Choose a file", () => picker.click());
    const hint = el("p", "hint", "An image, PDF or text file, 10 MB at most. You can also drop or paste it here.");
    const list = el("ul", "files");
    const files = (/** @type {File[]} */ all) => void this.sendAll(all.slice(0, MOST_FILES), list);
    picker.addEventListener("change", () => {
      files([...(picker.files ?? [])]);
      picker.value = "";
    });
    choose.setAttribute("aria-description", hint.textContent ?? "");
    node.append(picker, choose, hint, list);
    const retire = () => [picker, choose, hint].forEach((one) => one.remove());
    this.live = { node, retire, files };
    return node;
  }

  /**
   * Sends files one after the other, so that they keep their order.
   * @param {File[]} files
   * @param {HTMLElement} list
   */
  async sendAll(files, list) {
    const lines = files.map((file) => ({ file, line: el("li") }));
    for (const { file, line } of lines) line.append(el("span", "name", file.name, { dir: "auto" }), "waits");
    this.deeds.change(() => list.append(...lines.map(({ line }) => line)));
    for (const { file, line } of lines) await this.sendOne(file, line);
  }

  /**
   * @param {File} file
   * @param {HTMLElement} line what is shown of it until its message comes
   */
  async sendOne(file, line) {
    const bar = el("progress", "", "", { max: "1", "aria-label": `Sending ${file.name}` });
    const part = el("span", "part", "0%", { "aria-live": "off" });
    const sending = send(this.deeds.sender(), file, (done) => {
      bar.value = done;
      part.textContent = `${Math.floor(done * 100)}%`;
    });
    const name = el("span", "name", file.name, { dir: "auto" });
    const cancel = button("not", "Cancel", () => {
      sending.cancel();
      this.deeds.done();
    });
    this.deeds.change(() => line.replaceChildren(name, bar, part, cancel));
    const trouble = await sending.done;
    if (!trouble) return line.remove();
    const again = button("retry", "Try again", () => void this.sendOne(file, line));
    const drop = button("retry", "Discard", () => line.remove());
    this.deeds.change(() => line.replaceChildren(name, el("span", "said", trouble, { role: "status" }), again, drop));
    return undefined;
  }

  /** @param {{ name: string, bytes: number }} card @returns {HTMLElement} */
  file({ name, bytes }) {
    const node = el("p", "card file");
    node.append(icon(PATHS.file), el("span", "name", name, { dir: "auto" }), el("span", "hint", size(bytes)));
    return node;
  }
}
