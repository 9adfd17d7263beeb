// The script a page loads: shows Porchlight's round button and fetches the rest when a visitor first opens it.

(() => {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const NAME = "porchlight-widget";
  /** What the page is about, from the script tag: data-area, data-version, data-audience, data-language. */
  const SCOPE = ["area", "version", "audience", "language"];
  if (!script || !script.src) return;
  const origin = new URL(script.src).origin;
  /** @type {Record<string, string>} */
  const scope = {};
  for (const name of SCOPE) if (script.dataset[name]) scope[name] = script.dataset[name];

  const CSS = `
:host { all: initial; --accent: var(--porchlight-accent, #b4540a); color-scheme: light dark;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
.launcher { all: unset; box-sizing: border-box; position: fixed; right: 20px; bottom: 20px; z-index: 2147483000;
  width: 60px; height: 60px; border-radius: 50%; display: grid; place-items: center; cursor: pointer; color: #fff;
  background: var(--accent); box-shadow: 0 6px 20px rgb(40 20 0 / .28); }
.launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
.launcher svg { width: 30px; height: 30px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.launcher[aria-busy="true"] { cursor: progress; }
.badge { position: absolute; top: -3px; right: -3px; min-width: 22px; height: 22px; box-sizing: border-box; padding: 0 6px;
  border-radius: 11px; background: #a3102f; color: #fff; border: 2px solid #fff; font-size: 12px; line-height: 18px; font-weight: 700; text-align: center; }
.notice { position: fixed; right: 20px; bottom: 92px; z-index: 2147483000; max-width: 260px; padding: 10px 14px; border-radius: 12px;
  background: #2b2320; color: #fff; font-size: 14px; }
[hidden] { display: none !important; }
@media (max-width: 479px) { .launcher[aria-expanded="true"] { visibility: hidden; } }
@media print { :host { display: none; } }
`;
  const CHAT = "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8 9h8M8 12.5h5";
  const DOWN = "M6 9l6 6 6-6";

  /** Builds the button and lets it open the panel. */
  function start() {
    if (document.querySelector(NAME)) return;
    const host = document.createElement(NAME);
    host.lang = "en";
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    const launcher = document.createElement("button");
    launcher.type = "button";
    launcher.className = "launcher";
    const outline = draw(launcher);
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.setAttribute("aria-hidden", "true");
    launcher.append(badge);
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.setAttribute("role", "status");
    notice.hidden = true;
    root.append(launcher, notice);
    document.body.append(host);
    operate(root, { launcher, outline, badge, notice });
  }

  /**
   * @param {HTMLButtonElement} launcher
   * @returns {SVGPathElement} the outline of the icon
   */
  function draw(launcher) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const outline = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(outline);
    launcher.append(svg);
    return outline;
  }

  /**
   * @param {ShadowRoot} root
   * @param {{ launcher: HTMLButtonElement, outline: SVGPathElement, badge: HTMLElement, notice: HTMLElement }} parts
   */
  function operate(root, { launcher, outline, badge, notice }) {
    /** @type {import("./panel.js").Panel | null} */
    let panel = null;
    let tries = 0;

    /**
     * @param {boolean} open
     * @param {number} unread
     */
    const show = (open, unread) => {
      launcher.setAttribute("aria-expanded", String(open));
      const count = unread ? `, ${unread} unread ${unread === 1 ? "message" : "messages"}` : "";
      launcher.setAttribute("aria-label", open ? "Close chat" : `Open chat${count}`);
      outline.setAttribute("d", open ? DOWN : CHAT);
      badge.hidden = open || unread === 0;
      badge.textContent = unread > 9 ? "9+" : String(unread);
    };

    /** Fetches the panel the first time, then opens or closes it. */
    const toggle = async () => {
      if (panel) return panel.toggle();
      if (launcher.getAttribute("aria-busy") === "true") return;
      launcher.setAttribute("aria-busy", "true");
      notice.hidden = true;
      try {
        (await fetched()).toggle();
      } catch (error) {
        tries += 1;
        notice.textContent = "The chat cannot be reached just now. Please try again in a moment.";
        notice.hidden = false;
        console.warn("Porchlight could not be loaded:", error);
      } finally {
        launcher.removeAttribute("aria-busy");
      }
    };

    /** @returns {Promise<import("./panel.js").Panel>} the panel, fetched the first time; not yet on the screen */
    const fetched = async () => {
      // a failed import is remembered under its address, so another try needs another address
      const address = `${origin}/widget/panel.js${tries ? `?try=${tries}` : ""}`;
      const module = /** @type {typeof import("./panel.js")} */ (await import(address));
      panel ??= new module.Panel({ root, origin, scope, launcher, changed: show });
      return panel;
    };

    /**
     * For the page's own scripts: a visitor who has chatted here has bought something or signed up.
     * @param {import("./frames.js").Conversion} conversion
     */
    const converted = async (conversion) => {
      let chatted = false;
      try {
        chatted = Boolean(localStorage.getItem("porchlight"));
      } catch {
        // the browser keeps nothing
      }
      if (panel || chatted) (await fetched()).link.convert(conversion);
    };

    Object.assign(window, { porchlight: { converted } });
    show(false, 0);
    launcher.addEventListener("click", toggle);
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
})();
