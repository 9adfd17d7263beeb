// Shows one cited passage inside the widget, with the supporting words marked.

import { button, el, PATHS } from "./dom.js";

/** @typedef {import("./frames.js").Citation} Citation */

export class CitationView {
  /**
   * @param {string} origin the widget's own origin
   * @param {() => void} onClose
   */
  constructor(origin, onClose) {
    this.origin = origin;
    this.onClose = onClose;
    this.root = el("section", "citation", "", { "aria-label": "Source" });
    this.root.hidden = true;
    this.back = button("back", "Back to the conversation", () => this.close(), PATHS.back);
    this.body = el("div", "passage", "", { tabindex: "0" });
    const bar = el("div", "bar");
    bar.append(this.back, el("span", "", "Source"));
    this.root.append(bar, this.body);
  }

  /** @returns {boolean} */
  get open() {
    return !this.root.hidden;
  }

  /** @param {Citation} citation */
  show(citation) {
    const quote = el("blockquote");
    const [start, end] = citation.mark;
    const marked = el("mark", "", citation.excerpt.slice(start, end));
    quote.append(citation.excerpt.slice(0, start), marked, citation.excerpt.slice(end));
    this.body.replaceChildren(el("h2", "", citation.title));
    if (citation.heading.length) this.body.append(el("p", "path", citation.heading.join(" › ")));
    this.body.append(quote);
    const url = this.address(citation.url);
    if (url) this.body.append(el("a", "page", "Open the page", { href: url, target: "_blank", rel: "noopener" }));
    this.root.hidden = false;
    this.body.scrollTop = Math.max(0, marked.offsetTop - this.body.clientHeight / 3);
    this.back.focus();
  }

  /**
   * @param {string} path
   * @returns {string | null} the full address, if it lies on the widget's origin
   */
  address(path) {
    try {
      const url = new URL(path, this.origin);
      return url.origin === this.origin ? url.href : null;
    } catch {
      return null;
    }
  }

  /** @returns {void} */
  close() {
    if (!this.open) return;
    this.root.hidden = true;
    this.onClose();
  }
}
