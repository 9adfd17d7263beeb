// The demo's inbox: shows the mails to demo.example while it is open and somebody looks.

/** @typedef {{ to: string, subject: string, text: string, at: number }} Mail */

const EVERY_MS = 2_000;

const inbox = /** @type {HTMLDetailsElement} */ (document.getElementById("inbox"));
const state = /** @type {HTMLElement} */ (inbox.querySelector(".state"));
const list = /** @type {HTMLElement} */ (inbox.querySelector("ol"));
/** Mails that are on the screen. @type {Set<string>} */
const shown = new Set();
let timer = 0;

/**
 * @param {string} name of the element
 * @param {string} className
 * @param {string} text
 * @returns {HTMLElement}
 */
function part(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

/** @param {Mail} mail @returns {HTMLElement} */
function line(mail) {
  const node = document.createElement("li");
  const time = new Date(mail.at).toLocaleTimeString();
  node.append(part("strong", "subject", mail.subject), part("p", "about", `To ${mail.to}, ${time}`), part("p", "text", mail.text));
  return node;
}

/** @param {Mail[]} mails @returns {void} */
function show(mails) {
  const fresh = mails.filter((mail) => !shown.has(JSON.stringify(mail))).sort((a, b) => a.at - b.at);
  for (const mail of fresh) {
    shown.add(JSON.stringify(mail));
    list.prepend(line(mail));
  }
  state.textContent = shown.size ? "" : "No mail yet. It arrives here while this is open.";
}

/** Reads the inbox, and again after a while. @returns {Promise<void>} */
async function read() {
  clearTimeout(timer);
  if (!inbox.open || document.visibilityState !== "visible") return;
  try {
    const answer = await fetch("/demo/inbox", { cache: "no-store" });
    if (answer.ok) show(await answer.json());
    else state.textContent = answer.status === 404 ? "The demo shop is switched off here." : "The inbox cannot be read now.";
    if (answer.status === 404) return;
  } catch {
    state.textContent = "The inbox cannot be read now.";
  }
  timer = window.setTimeout(() => void read(), EVERY_MS);
}

inbox.addEventListener("toggle", () => void read());
document.addEventListener("visibilitychange", () => void read());
