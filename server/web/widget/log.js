// The list of messages: bubbles, text in progress, citations, typing dots and the state of own messages.

import { button, el, icon, PATHS } from "./dom.js";

/** @typedef {import("./frames.js").Citation} Citation */
/** @typedef {import("./frames.js").Message} Message */
/** @typedef {import("./frames.js").Piece} Piece */
/** @typedef {"sending" | "sent" | "seen" | "failed"} SendState */
/** @typedef {{ cite: number | null, button: HTMLElement | null, sources: Map<number, Citation>, text: HTMLElement, tail: HTMLElement | null }} Flow */

const PENDING = 1e12;
const LIVE = 1e15;
const SPEAKERS = { visitor: "You: ", bot: "Automatic answer: ", owner: "", system: "" };

export class Log {
  /**
   * @param {(citation: Citation, from: HTMLElement) => void} onCite
   * @param {(id: string, again: boolean) => void} onRetry
   * @param {(message: Message) => HTMLElement | null} onCard what is shown beside the text
   */
  constructor(onCite, onRetry, onCard) {
    this.onCite = onCite;
    this.onRetry = onRetry;
    this.onCard = onCard;
    this.root = el("div", "log", "", { role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" });
    /** @type {WeakMap<Element, number>} */
    this.orders = new WeakMap();
    /** @type {Map<string, HTMLElement>} own messages by their id */
    this.own = new Map();
    /** @type {Map<string, { node: HTMLElement, flow: Flow }>} */
    this.drafts = new Map();
    /** @type {Set<string>} drafts that have ended */
    this.ended = new Set();
    /** @type {Map<string, { node: HTMLElement, timer: number, wait: number }>} */
    this.dots = new Map();
    /** @type {HTMLElement | null} */
    this.hello = null;
    this.pending = 0;
    this.ownerRead = 0;
    /** own and stored; @type {{ id: string, seq: number } | null} */
    this.newest = null;
  }

  /**
   * Puts a node at its place; a node that is there already is not touched, so that it is not read out twice.
   * @param {HTMLElement} node
   * @param {number} order
   */
  place(node, order) {
    this.orders.set(node, order);
    /** @type {Element | null} */
    let next = null;
    for (let at = this.root.lastElementChild; at; at = at.previousElementSibling) {
      if (at === node) continue;
      if ((this.orders.get(at) ?? 0) <= order) break;
      next = at;
    }
    if (node.parentNode !== this.root || node.nextElementSibling !== next) this.root.insertBefore(node, next);
  }

  /**
   * Changes the list and stays at its end if the reader was there.
   * @param {() => void} act
   * @param {boolean} [force]
   */
  change(act, force = false) {
    const { scrollTop, clientHeight, scrollHeight } = this.root;
    const atEnd = force || scrollHeight - scrollTop - clientHeight < 80;
    act();
    if (atEnd) this.toEnd();
  }

  /** @returns {void} */
  toEnd() {
    this.root.scrollTop = this.root.scrollHeight;
  }

  /** @param {string} text */
  greet(text) {
    if (!text) return;
    this.hello ??= this.bubble("greeting", "Automatic answer: ", "").node;
    const body = this.hello.querySelector(".text");
    if (body && body.textContent !== text) body.textContent = text;
    this.place(this.hello, 0);
  }

  /**
   * @param {string} kind
   * @param {string} speaker spoken before the text
   * @param {string} text
   * @returns {{ node: HTMLElement, bubble: HTMLElement, text: HTMLElement }}
   */
  bubble(kind, speaker, text) {
    const node = el("div", `msg ${kind}`);
    const bubble = el("div", "bubble");
    const body = el("span", "text", text, { dir: "auto" });
    if (speaker) bubble.append(el("span", "sr", speaker));
    bubble.append(body);
    node.append(bubble);
    return { node, bubble, text: body };
  }

  /**
   * Shows an own message that is not stored yet.
   * @param {string} id
   * @param {string} text
   * @param {boolean} [failed]
   */
  addOwn(id, text, failed) {
    if (this.own.has(id)) return;
    const { node } = this.bubble("visitor", SPEAKERS.visitor, text);
    node.append(el("div", "meta", "", { "aria-live": "off" }));
    this.own.set(id, node);
    this.mark(id, failed ? "failed" : "sending");
    this.change(() => this.place(node, PENDING + this.pending++), true);
  }

  /**
   * @param {string} id
   * @param {SendState} state
   */
  mark(id, state) {
    const node = this.own.get(id);
    const meta = node?.querySelector(".meta");
    if (!node || !meta || node.dataset.state === state) return;
    node.dataset.state = state;
    if (state === "sending") meta.replaceChildren(icon(PATHS.clock), "sending");
    const tick = () => el("span", "", "✓", { role: "img", "aria-label": "Stored", title: "Stored" });
    if (state === "sent") meta.replaceChildren(tick());
    if (state === "seen") meta.replaceChildren(tick(), "Seen");
    const choice = (/** @type {string} */ label, /** @type {boolean} */ again) => button("retry", label, () => this.onRetry(id, again));
    if (state === "failed") this.change(() => meta.replaceChildren("not sent ", choice("Try again", true), choice("Discard", false)));
  }

  /** @param {number} [seq] up to where a person has seen the visitor's messages */
  receipts(seq = this.ownerRead) {
    this.ownerRead = seq;
    if (this.newest) this.mark(this.newest.id, this.newest.seq <= seq ? "seen" : "sent");
  }

  /** @param {string} id an own message that is taken back */
  removeOwn(id) {
    this.own.get(id)?.remove();
    this.own.delete(id);
  }

  /**
   * Shows a stored message, in place of its draft or of the own message that waited.
   * @param {Message} message
   */
  add(message) {
    this.change(() => {
      if (message.draft_id) this.end(message.draft_id);
      if (message.from === "bot" || message.from === "owner") this.typing(message.from, false, 0);
      const node = (message.client_msg_id && this.own.get(message.client_msg_id)) || this.render(message);
      node.dataset.seq = String(message.seq);
      node.title = new Date(message.at).toLocaleString();
      const card = this.onCard(message);
      if (card) (message.card?.kind === "file" ? node.querySelector(".bubble") ?? node : node).append(card);
      this.place(node, message.seq);
      if (message.from !== "visitor" || !message.client_msg_id) return;
      if (this.newest) this.mark(this.newest.id, "sent");
      this.newest = { id: message.client_msg_id, seq: message.seq };
      this.receipts();
    });
  }

  /**
   * @param {Message} message
   * @returns {HTMLElement}
   */
  render(message) {
    const { node, bubble, text } = this.bubble(message.from, SPEAKERS[message.from] ?? "", "");
    if (message.from === "owner") bubble.prepend(el("span", "author", message.author ?? "A person"));
    const flow = this.flow(text, message.citations);
    const words = message.card?.kind === "file" ? "" : message.text; // the card has the file's name
    const pieces = message.pieces.length ? message.pieces : [{ text: words, cite: null }];
    for (const piece of pieces) this.append(flow, piece);
    if (flow.sources.size) node.append(this.sources(flow.sources));
    if (message.from === "visitor" && message.client_msg_id) {
      node.append(el("div", "meta", "", { "aria-live": "off" }));
      this.own.set(message.client_msg_id, node);
      this.mark(message.client_msg_id, "sent");
    }
    return node;
  }

  /**
   * @param {HTMLElement} text
   * @param {Citation[]} citations
   * @returns {Flow}
   */
  flow(text, citations) {
    return { cite: null, button: null, sources: new Map(citations.map((one) => [one.number, one])), text, tail: null };
  }

  /**
   * Adds one piece; pieces in a row with the same source share one number, after the last of them.
   * @param {Flow} flow
   * @param {Piece} piece
   */
  append(flow, piece) {
    const words = piece.text.trimEnd();
    if (!words) {
      flow.text.append(piece.text);
      return;
    }
    if (piece.cite === flow.cite) flow.button?.remove();
    flow.cite = piece.cite;
    flow.button = piece.cite === null ? null : this.number(piece.cite, flow.sources);
    if (flow.button) {
      const [last] = words.match(/\S{0,24}$/) ?? [""];
      const keep = el("span", "keep", last); // the number does not start a line of its own
      keep.append(flow.button);
      flow.text.append(words.slice(0, words.length - last.length), keep);
    } else flow.text.append(words);
    flow.text.append(piece.text.slice(words.length));
  }

  /**
   * @param {number} number
   * @param {Map<number, Citation>} sources
   * @returns {HTMLButtonElement | null}
   */
  number(number, sources) {
    const citation = sources.get(number);
    if (!citation) return null;
    const node = button("cite", String(number), () => this.onCite(citation, node));
    node.setAttribute("aria-label", `Source ${number}: ${citation.title}`);
    return node;
  }

  /**
   * @param {Map<number, Citation>} sources
   * @returns {HTMLElement}
   */
  sources(sources) {
    const list = el("ul", "sources", "", { "aria-label": "Sources" });
    for (const [number, citation] of sources) {
      const item = el("li");
      const open = button("source", "", () => this.onCite(citation, open));
      open.append(el("span", "no", String(number)), el("span", "", [citation.title, ...citation.heading].join(" › ")));
      item.append(open);
      list.append(item);
    }
    return list;
  }

  /**
   * Shows a draft as it grows. A piece of a draft whose beginning was missed is not shown.
   * @param {import("./frames.js").Draft} frame
   */
  draft(frame) {
    const known = this.drafts.get(frame.draft_id);
    if (frame.phase === "stop") return this.end(frame.draft_id);
    if (frame.phase === "start") {
      if (known || this.ended.has(frame.draft_id)) return;
      const { node, text } = this.bubble("bot", SPEAKERS.bot, "");
      node.dataset.draft = frame.draft_id;
      node.setAttribute("aria-live", "off"); // the finished message is read out, once
      this.drafts.set(frame.draft_id, { node, flow: this.flow(text, []) });
      return this.typing("bot", true, 20_000);
    }
    const { piece, token } = frame;
    if (!known || (!piece && !token)) return;
    this.change(() => {
      if (!piece) return this.await(known, token ?? "");
      known.flow.tail?.remove();
      known.flow.tail = null;
      for (const one of frame.citations ?? []) known.flow.sources.set(one.number, one);
      this.append(known.flow, piece);
      this.typing("bot", false, 0);
      this.place(known.node, LIVE);
    });
  }

  /**
   * Shows a token until its piece replaces it.
   * @param {{ node: HTMLElement, flow: Flow }} draft
   * @param {string} token
   */
  await({ node, flow }, token) {
    if (!flow.tail) flow.text.append((flow.tail = el("span", "tail")));
    flow.tail.append(token);
    this.typing("bot", false, 0);
    this.place(node, LIVE);
  }

  /** @param {string} id */
  end(id) {
    this.ended.add(id);
    this.drafts.get(id)?.node.remove();
    if (this.drafts.delete(id)) this.typing("bot", false, 0);
  }

  /** Takes all text in progress away: the connection is gone or a person has taken over. */
  endAll() {
    for (const [id, draft] of this.drafts) {
      draft.node.remove();
      this.drafts.delete(id);
    }
    this.typing("bot", false, 0);
    this.typing("owner", false, 0);
  }

  /**
   * Shows that somebody writes, and after a while a line about it. The line stands beside the dots and goes with them.
   * @param {"bot" | "owner"} from
   * @param {boolean} on
   * @param {number} expires
   * @param {import("./frames.js").Preamble} [status]
   */
  typing(from, on, expires, status) {
    const shown = this.dots.get(from);
    if (shown) clearTimeout(shown.timer);
    if (!on) {
      clearTimeout(shown?.wait);
      shown?.node.remove();
      this.dots.delete(from);
      return;
    }
    const node = shown?.node ?? this.writing(from);
    const timer = window.setTimeout(() => this.typing(from, false, 0), expires);
    const say = () => this.change(() => node.lastElementChild?.replaceChildren(status?.text ?? ""));
    const wait = shown?.wait ?? (status ? window.setTimeout(say, status.after_ms) : 0);
    this.dots.set(from, { node, timer, wait });
    this.change(() => this.place(node, LIVE + 1));
  }

  /**
   * @param {"bot" | "owner"} from
   * @returns {HTMLElement} the dots, and room for a line that is read out when it comes
   */
  writing(from) {
    const node = el("div", `typing ${from}`, "", { "aria-live": "off" });
    const dots = el("span", "dots", "", { role: "img", "aria-label": "Writing" });
    dots.append(el("i"), el("i"), el("i"));
    node.append(dots, el("span", "preamble", "", { role: "status", "aria-live": "polite" }));
    return node;
  }

  /** @param {string} text a line above the messages that follow */
  note(text) {
    const { node } = this.bubble("system", "", text);
    this.change(() => this.place(node, 0));
  }

  /** Empties the list, except for own messages that are not stored. */
  reset() {
    this.endAll();
    this.ownerRead = 0;
    this.newest = null;
    for (const [id, node] of this.own) {
      if (node.dataset.seq || node.dataset.state === "sent") this.own.delete(id);
    }
    const waiting = new Set(this.own.values());
    for (const node of [...this.root.children]) {
      if (node !== this.hello && !waiting.has(/** @type {HTMLElement} */ (node))) node.remove();
    }
  }
}
