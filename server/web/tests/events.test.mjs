// The stream of events in the browser: a trial of the measuring, a visit and its campaign, a conversion told by the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, ask, browse, open, page, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let owner;

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  owner = (await page(browser, { bypassCSP: true })).page;
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** @param {string} query @returns {Promise<{ name: string, session: string, conversation: string, data: Record<string, any> }[]>} */
const events = (query) => owner.evaluate(async (query) => (await (await fetch(`/console/api/events?after=0&limit=1000&${query}`)).json()).events, query);

test("a visit names its page and campaign, and a conversion is told from another page", async () => {
  const { page: visitor, context } = await page(browser);
  await visitor.goto(`${house.base}/?utm_source=google&utm_medium=cpc&utm_campaign=autumn&token=private`);
  assert.deepEqual(await visitor.evaluate(() => Object.keys(localStorage)), [], "nothing is kept before the chat is opened");
  await open(visitor);
  await ask(visitor, "Which port does it use?");
  await visitor.waitForSelector(".msg.bot[data-seq]");
  const [opened] = await events("name=chat_opened");
  assert.deepEqual([opened.data.page, opened.data.campaign], [`${house.base}/`, "google / cpc / autumn"]);
  const [begun] = await events("name=conversation_started");
  assert.equal(begun.session, opened.session);
  assert.equal(begun.data.campaign, "google / cpc / autumn");
  // The page after the purchase, on which nobody opens the chat.
  await visitor.goto(`${house.base}/?thanks`);
  await visitor.waitForFunction(() => "porchlight" in window);
  // @ts-ignore made by the widget
  await visitor.evaluate(() => window.porchlight.converted({ kind: "purchase", value: 1999, currency: "EUR" }));
  await owner.waitForFunction(async () => (await (await fetch("/console/api/events?name=converted")).json()).events.length === 1);
  const [sold] = await events("name=converted");
  assert.equal(sold.conversation, begun.conversation);
  assert.equal(sold.data.value, 1999);
  assert.equal((await events("name=chat_opened")).length, 1, "the chat was opened once");
  await context.close();
});

test("a browser that never chatted tells no conversion", async () => {
  const { page: visitor, context } = await page(browser);
  await visitor.goto(`${house.base}/`);
  await visitor.waitForFunction(() => "porchlight" in window);
  // @ts-ignore made by the widget
  await visitor.evaluate(() => window.porchlight.converted({ kind: "purchase" }));
  assert.deepEqual(await visitor.evaluate(() => performance.getEntriesByType("resource").filter((one) => one.name.includes("panel.js")).length), 0);
  await context.close();
});

test("a trial shows what is measured and what is missing, and leaves no trace", async () => {
  await owner.click("a.library.events");
  await owner.click("button:has-text('Begin a trial')");
  await owner.waitForSelector(".checks .missing");
  await accessible(owner, "a trial that has not begun");
  const missing = await owner.locator(".checks .missing").count();
  const address = await owner.getAttribute("a.button:has-text('Open the trial chat')", "href");
  const { page: visitor, context } = await page(browser);
  await visitor.goto(/** @type {string} */ (address));
  await open(visitor);
  await ask(visitor, "Which port does it use?");
  await visitor.waitForSelector(".msg.bot[data-seq]");
  assert.equal(await visitor.evaluate(() => localStorage.getItem("porchlight") ?? localStorage.getItem("porchlight-visitor")), null);
  await owner.click("button:has-text('Look again')");
  await owner.waitForFunction((before) => document.querySelectorAll(".checks .missing").length < before, missing);
  await owner.waitForSelector(".stream td a");
  await accessible(owner, "events");
  await owner.setViewportSize({ width: 390, height: 844 });
  await accessible(owner, "events on a phone");
  assert.equal(await owner.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  if (process.env.SHOTS) await owner.screenshot({ path: `${process.env.SHOTS}/events-phone.png` });
  await owner.setViewportSize({ width: 1280, height: 800 });
  if (process.env.SHOTS) await owner.screenshot({ path: `${process.env.SHOTS}/events.png` });
  await context.close();
});
