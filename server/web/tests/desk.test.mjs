// The console's pages for what is left to do: tickets, hours, notifications, actions, leads and flows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, ask, browse, open, page, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let owner;
/** @type {string[]} */
let ownerErrors;

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };
const PAGES = ["tickets", "leads", "actions", "hours", "notifications", "rules"];

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  const first = await page(browser, { bypassCSP: true });
  owner = first.page;
  ownerErrors = first.errors;
  // The browser's notifications, and whether somebody looks, as the test wants them.
  await owner.addInitScript(() => {
    const shown = /** @type {string[]} */ ([]);
    class Told {
      static permission = "default";
      static async requestPermission() { Told.permission = "granted"; }
      /** @param {string} title @param {{ body: string }} options */
      constructor(title, options) { shown.push(`${title}\n${options.body}`); }
    }
    Object.assign(window, { Notification: Told, shown, hidden: false });
    // @ts-ignore set by the test
    Object.defineProperty(document, "visibilityState", { get: () => (window.hidden ? "hidden" : "visible") });
  });
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** A visitor who asks for a person. */
async function waits() {
  const made = await page(browser);
  await made.page.goto(`${house.base}/`);
  await open(made.page);
  await ask(made.page, "Who won the football world cup in 1998?");
  await made.page.waitForSelector(".msg.bot[data-seq]");
  return made;
}

test("every page is accessible, with and without something on it, at a desk and on a phone", async () => {
  for (const name of PAGES) {
    await owner.click(`a.library.${name}`);
    await owner.waitForSelector(`main:has(h2) .thread section, main .thread .empty`);
    await owner.waitForFunction(() => !document.querySelector(".thread")?.textContent?.includes("Loading"));
    await accessible(owner, name);
    await owner.setViewportSize(PHONE);
    await accessible(owner, `${name} on a phone`);
    assert.equal(await owner.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, name);
    await owner.click("a.back");
    await accessible(owner, "the pages' links on a phone");
    await owner.setViewportSize(DESK);
  }
});

test("a ticket is made from a conversation, found by filters, changed and replied to", async () => {
  const { page: visitor, context } = await waits();
  await owner.locator(".conversation-list a[data-id]").first().click();
  await owner.click("button.make-ticket");
  await owner.waitForSelector(".ticket-form");
  await accessible(owner, "a new ticket");
  assert.match(await owner.inputValue(".ticket-form input[name=subject]"), /football/);
  await owner.fill(".ticket-form input[name=email]", "fan@demo.example");
  await owner.fill(".ticket-form input[name=tags]", "sports, trivia");
  await owner.selectOption(".ticket-form select[name=priority]", "high");
  await owner.click(".ticket-form button.keep");
  await owner.click(".ongoing a[href^='#/tickets/']");
  await owner.waitForSelector(".ticket-form select[name=status]");
  await accessible(owner, "a ticket");
  await owner.fill("textarea[name=reply]", "France did.");
  await owner.click("button.send-reply");
  await visitor.waitForSelector(".msg.owner:has-text('France did.')");
  await owner.waitForFunction(() => /** @type {HTMLTextAreaElement | null} */ (document.querySelector("textarea[name=reply]"))?.value === "");
  await owner.selectOption(".ticket-form select[name=status]", "solved");
  await owner.click(".ticket-form button.keep");
  await owner.waitForSelector(".chips .state-chip:has-text('Solved')");
  await owner.click("text=All tickets");
  await owner.selectOption("select[name=status]", "open");
  await owner.waitForSelector("text=No ticket is left by these filters.");
  await owner.selectOption("select[name=status]", "solved");
  await owner.fill("input[name=tag]", "sports");
  await owner.press("input[name=tag]", "Enter");
  await owner.waitForSelector(".ticket:has-text('football')");
  const [file] = await Promise.all([owner.waitForEvent("download"), owner.click(".exports a:has-text('JSON')")]);
  const list = JSON.parse(readFileSync(await file.path(), "utf8"));
  assert.match(JSON.stringify(list), /football[\s\S]*fan@demo\.example/);
  await accessible(owner, "tickets");
  await context.close();
});

test("the owner goes away and comes back", async () => {
  await owner.click("a.library.hours");
  await owner.waitForSelector(".standing .state-chip:has-text('Open')");
  await owner.click("button.leave:has-text('30 minutes')");
  await owner.waitForSelector(".standing .state-chip:has-text('Away')");
  await owner.reload();
  await owner.waitForSelector(".standing .state-chip:has-text('Away')");
  await accessible(owner, "away");
  await owner.click("button.return");
  await owner.click("button.leave:has-text('until I am back')");
  await owner.waitForSelector(".standing:has-text('until you say that you are back')");
  await owner.click("button.return");
  await owner.waitForSelector(".standing .state-chip:has-text('Open')");
});

test("the browser notifies when it was allowed and nobody looks", async () => {
  await owner.click("a.library.notifications");
  await owner.click("button.allow-notices");
  await owner.waitForSelector("text=They are shown while this page is open in the background");
  const look = (/** @type {boolean} */ hidden) => owner.evaluate((value) => { Object.assign(window, { hidden: value }); }, hidden);
  // @ts-ignore set by the test
  const shown = () => owner.evaluate(() => /** @type {string[]} */ (window.shown));
  const first = await waits();
  await owner.locator("a[data-id] .state-chip.waiting").first().waitFor();
  assert.deepEqual(await shown(), [], "not while the owner looks");
  await look(true);
  const second = await waits();
  // @ts-ignore set by the test
  await owner.waitForFunction(() => window.shown.length > 0);
  await look(false);
  await owner.click("a.library.notifications");
  await accessible(owner, "notifications");
  await Promise.all([first.context.close(), second.context.close()]);
});

test("the rules' page shows the flows with their lines", async () => {
  await owner.click("a.library.rules");
  await owner.waitForSelector(".flows .finding");
  assert.match(await owner.innerText(".flows"), /Talk to sales[\s\S]*flows\.toml, line \d+/);
  await owner.click("a.library.actions");
  await owner.waitForSelector(".sheet .finding:has-text('actions.toml, line')");
  assert.match(await owner.innerText(".sheet"), /Order status[\s\S]*Reads only[\s\S]*After a code by e-mail/);
});

test("the console showed no error on the way", () => {
  assert.deepEqual(ownerErrors, []);
});
