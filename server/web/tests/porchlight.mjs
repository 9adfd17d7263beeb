// Starts the real program and a real browser for the tests.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const ROOT = join(import.meta.dirname, "../../..");
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** The program: built by `make`, or named by PORCHLIGHT. */
function program() {
  const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/porchlight/target");
  const path = process.env.PORCHLIGHT ?? join(target, "debug/porchlight");
  if (!existsSync(path)) throw new Error(`${path} is not there; build it with: cargo build -p server`);
  return path;
}

/**
 * @typedef {object} House
 * @property {string} base
 * @property {string} setup
 * @property {() => Promise<void>} stop
 * @property {() => Promise<void>} kill ends the program without a word
 * @property {() => Promise<void>} again starts it on the same port with the same data
 */

/**
 * Starts Porchlight over a copy of its own manual on a free port; accepted answers add golden questions to the copy.
 * @param {Record<string, string>} env more settings
 * @returns {Promise<House>}
 */
export async function start(env = {}) {
  const data = mkdtempSync(join(tmpdir(), "porchlight-web-"));
  const knowledge = join(data, "manual");
  cpSync(join(ROOT, "knowledge"), knowledge, { recursive: true });
  const settings = { cwd: ROOT, env: { ...process.env, PORCHLIGHT__KNOWLEDGE__DIR: knowledge, ...env } };
  const place = join(data, "data");
  let running = await launch("127.0.0.1:0", place, settings);
  const { base, setup } = running;
  const end = async (/** @type {NodeJS.Signals} */ signal) => {
    const ended = new Promise((resolve) => running.child.once("exit", resolve));
    if (running.child.exitCode === null && running.child.signalCode === null) {
      running.child.kill(signal);
      await ended;
    }
  };
  return {
    base, setup,
    stop: async () => {
      await end("SIGTERM");
      rmSync(data, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    again: async () => {
      running = await launch(new URL(base).host, place, settings);
    },
  };
}

/**
 * Runs the program until it is ready.
 * @param {string} listen
 * @param {string} data
 * @param {import("node:child_process").SpawnOptions} settings
 */
async function launch(listen, data, settings) {
  const child = spawn(program(), ["serve", "--listen", listen, "--data-dir", data], { ...settings, stdio: ["ignore", "pipe", "inherit"] });
  let base = "";
  let setup = "";
  for await (const line of createInterface({ input: child.stdout })) {
    base ||= /Demo site\s+(\S+?)\/$/.exec(line)?.[1] ?? "";
    setup ||= /Owner console\s+(\S+)/.exec(line)?.[1] ?? "";
    if (line.includes("Health")) return { child, base, setup };
  }
  throw new Error("Porchlight ended before it was ready; its errors stand above");
}

/**
 * A folder of prompts in which one file is another.
 * @param {string} name
 * @param {string} text
 */
export function prompts(name, text) {
  const folder = mkdtempSync(join(tmpdir(), "porchlight-prompts-"));
  cpSync(join(ROOT, "prompts"), folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return { env: { PORCHLIGHT__REPLIES__PROMPTS: folder }, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A clock for the program that the test sets: the library that the fault tests load before all others. */
export function clock() {
  const folder = mkdtempSync(join(tmpdir(), "porchlight-clock-"));
  const [library, orders] = [join(folder, "shim.so"), join(folder, "orders")];
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, join(ROOT, "evals/faults/shim.c"), "-ldl"]);
  writeFileSync(orders, Buffer.alloc(4096));
  const file = openSync(orders, "r+");
  return {
    env: { LD_PRELOAD: library, PORCHLIGHT_SHIM: orders },
    /** From here on it is this time, in milliseconds since 1970. @param {number} now */
    set(now) {
      const offset = Buffer.alloc(8);
      offset.writeBigInt64LE(BigInt(now - Date.now()));
      writeSync(file, offset, 0, 8, 0);
    },
    remove() {
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the browser. */
export function browse() {
  const path = BROWSERS.find((candidate) => candidate && existsSync(candidate));
  if (!path) throw new Error("No Chromium was found: install the package chromium, or set CHROMIUM to its path.");
  return chromium.launch({ executablePath: path, args: FLAGS });
}

/**
 * A fresh page whose errors fail the test.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} options
 */
export async function page(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { context, page, errors };
}

/**
 * Opens the widget on the page.
 * @param {import("playwright-core").Page} page
 */
export async function open(page) {
  await page.click("button.launcher");
  await page.waitForSelector(".msg.greeting");
}

/**
 * Writes a question and sends it with the keyboard.
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
export async function ask(page, text) {
  await page.fill(".panel textarea", text);
  await page.press(".panel textarea", "Enter");
}

/**
 * An open widget whose server is the test.
 * @param {import("playwright-core").Browser} browser
 * @param {string} base where its code comes from
 * @param {import("playwright-core").BrowserContextOptions & { prepare?: (page: import("playwright-core").Page) => Promise<void> }} options
 */
export async function scripted(browser, base, { prepare, ...options } = {}) {
  const made = await page(browser, options);
  /** @type {import("playwright-core").WebSocketRoute | undefined} */
  let socket;
  /** what the widget has sent, pings left out @type {any[]} */
  const heard = [];
  /** @type {Set<() => void>} */
  const waiting = new Set();
  /**
   * The frames of a type, as soon as there are so many.
   * @param {string} type
   * @param {number} [count]
   * @returns {Promise<any[]>}
   */
  const sent = (type, count = 1) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${type} came`)), 30_000);
    const look = () => {
      const some = heard.filter((one) => one.type === type);
      if (some.length < count) return;
      clearTimeout(late);
      waiting.delete(look);
      resolve(some);
    };
    waiting.add(look);
    look();
  });
  await prepare?.(made.page);
  /** @param {Record<string, unknown>} frame */
  const send = (frame) => socket?.send(JSON.stringify(frame));
  await made.page.routeWebSocket(/\/widget\/ws$/, (route) => {
    socket = route;
    route.onMessage((text) => {
      const frame = JSON.parse(String(text));
      if (frame.type === "ping") return send({ type: "pong" });
      heard.push(frame);
      for (const look of waiting) look();
      if (frame.type === "hello") send({ type: "welcome", v: 1, token: "a".repeat(64), conversation: null, epoch: "e", head: 0, state: "bot",
        generation: 0, author: null, site: { name: "Shop", greeting: "Hello!" }, owner_online: false, restored: false, known: {},
        owner_read: 0, queue: null });
    });
  });
  await made.page.goto(`${base}/`);
  await open(made.page);
  return { ...made, send, sent };
}

/**
 * Signs an owner up with the printed link.
 * @param {import("playwright-core").Page} page
 * @param {string} link
 */
export async function signUp(page, link) {
  await page.goto(link);
  await page.fill("form.setup input[name=name]", "Ada");
  await page.fill("form.setup input[name=email]", "ada@example.org");
  await page.fill("form.setup input[name=password]", "correct horse 1");
  await page.press("form.setup input[name=password]", "Enter");
  await page.waitForSelector(".conversation-list");
}

/**
 * Fails when the page has barriers that axe finds.
 * @param {import("playwright-core").Page} page
 * @param {string} what
 */
export async function accessible(page, what) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    // @ts-ignore axe was evaluated above
    const result = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
    return result.violations.map((/** @type {any} */ v) => `${v.id}: ${v.nodes.map((/** @type {any} */ n) => n.html).join(" ")}`);
  });
  assert.deepEqual(found, [], what);
}
