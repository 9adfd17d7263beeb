// The way of a visitor and an owner through the real program: answers, hand-off, take-over, suggestions, coming back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, browse, open, page, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let owner;
/** @type {string[]} */
let ownerErrors;

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  const first = await page(browser);
  owner = first.page;
  ownerErrors = first.errors;
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** A visitor on the demo page who has opened nothing yet. */
async function visitor(options = {}) {
  const made = await page(browser, options);
  await made.page.goto(`${house.base}/`);
  await made.page.waitForSelector("button.launcher");
  return made;
}

test("nothing is stored or sent before the visitor opens the widget", async () => {
  const { page, context, errors } = await visitor();
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("websocket", (socket) => asked.push(new URL(socket.url()).pathname));
  await page.reload();
  await page.waitForSelector("button.launcher");
  await page.waitForLoadState("networkidle");
  assert.deepEqual(asked.filter((path) => path.startsWith("/widget/")), []);
  assert.equal(await page.evaluate("localStorage.length + sessionStorage.length"), 0);
  assert.deepEqual(await context.cookies(), []);
  await open(page);
  assert.ok(asked.includes("/widget/ws"));
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(errors, []);
  await context.close();
});

test("an answer streams in, and its citation opens the right passage", async () => {
  const { page, context, errors } = await visitor();
  /** @type {string[]} */
  const frames = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
  await open(page);
  await ask(page, "How do I add the chat to my website?");
  await page.waitForSelector(".msg.bot button.cite");
  await page.waitForSelector(".msg.bot[data-seq]");
  const kinds = frames.map((text) => JSON.parse(text)).map((frame) => frame.phase ?? `${frame.type} ${frame.from ?? ""}`.trim());
  assert.ok(kinds.indexOf("ack") < kinds.indexOf("piece"), kinds.join());
  assert.ok(kinds.indexOf("piece") < kinds.indexOf("message bot"), kinds.join());
  assert.match(await page.innerText(".msg.bot[data-seq]"), /script/);
  await page.click(".msg.bot button.cite");
  const mark = await page.innerText(".citation mark");
  assert.match(mark, /script/);
  const [document] = await Promise.all([context.waitForEvent("page"), page.click(".citation a")]);
  await document.waitForSelector("mark#cited");
  assert.match(document.url(), /\/kb\/widget-embed\.md\?start=\d+&end=\d+#cited$/);
  const marked = await document.locator("mark").allInnerTexts();
  const words = (/** @type {string} */ text) => text.replace(/\s+/g, "");
  assert.ok(words(mark).includes(words(marked[0] ?? "-")), `${marked} / ${mark}`);
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden(".citation"));
  assert.deepEqual(errors, []);
  await context.close();
});

test("what is not in the documents goes to a person, who takes over; a reload keeps it all", async () => {
  const { page, context, errors } = await visitor();
  await open(page);
  await ask(page, "Who won the football world cup in 1998?");
  await page.waitForSelector(".msg.bot[data-seq]");
  assert.match(await page.innerText(".msg.bot"), /asked a person/);
  assert.equal(await page.locator(".msg.bot button.cite").count(), 0, "no invented answer");
  const line = owner.locator(".conversation-list a[data-id]", { hasText: "asked a person" });
  await line.waitFor();
  assert.match(await line.innerText(), /waiting/i);
  await line.click();
  await owner.click("button.take");
  await page.waitForSelector(".msg.system:has-text('Ada joined')");

  await ask(page, "How do I add the chat to my website?");
  // The bot suggests to the owner, and says nothing to the visitor.
  await owner.waitForSelector(".suggestion button.accept");
  await owner.fill(".composer textarea", "Hello, I am looking it up.");
  await owner.press(".composer textarea", "Enter");
  await page.waitForSelector(".msg.owner:has-text('looking it up')");
  assert.equal(await page.locator(".msg.bot").count(), 1);

  const before = await page.locator("[data-seq]").allInnerTexts();
  await page.reload();
  await open(page);
  await page.waitForSelector(".msg.owner:has-text('looking it up')");
  assert.deepEqual((await page.locator("[data-seq]").allInnerTexts()).length, before.length);
  assert.deepEqual(errors, []);
  await context.close();
});

test("a suggestion is sent as it is, and the bot answers again after the hand-back", async () => {
  const { page, context, errors } = await visitor();
  await open(page);
  await page.click("button.person");
  const line = owner.locator(".conversation-list a[data-id]", { hasText: "You asked for a person" });
  await line.waitFor();
  await line.click();
  await owner.click("button.take");
  await page.waitForSelector(".msg.system:has-text('Ada joined')");
  await ask(page, "How do I add the chat to my website?");
  await owner.click(".suggestion button.accept");
  await page.waitForSelector(".msg.owner button.cite");
  await owner.click("button.hand-back");
  await page.waitForSelector(".msg.system:has-text('automatic assistant')");
  await ask(page, "How do I add the chat to my website?");
  await page.waitForSelector(".msg.bot button.cite");
  await owner.click("button.close");
  await page.waitForSelector("button.again");
  assert.deepEqual(errors, []);
  await context.close();
});

test("all of it works with the keyboard", async () => {
  const { page, context } = await visitor();
  await page.focus("button.launcher");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".msg.greeting");
  await page.keyboard.type("How do I add the chat to my website?");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".msg.bot[data-seq] button.cite");
  await page.focus(".msg.bot button.cite");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".citation mark");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden(".panel"));
  const focused = await page.evaluate(() => document.querySelector("porchlight-widget")?.shadowRoot?.activeElement?.className);
  assert.equal(focused, "launcher");
  await context.close();
});

test("the console showed no error on the way", () => {
  assert.deepEqual(ownerErrors, []);
});
