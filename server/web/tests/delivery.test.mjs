// Delivery in a real browser: a killed server, a page that went away, networks without WebSockets, receipts and the queue.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, ask, browse, open, page, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let owner;

/** How soon a dead connection shows. */
const SHOWS_MS = 5_000;
const LOST = ".line:has-text('Reconnecting')";

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  owner = (await page(browser, { bypassCSP: true })).page;
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/**
 * A visitor with the widget open.
 * @param {(page: import("playwright-core").Page) => Promise<void>} [prepare]
 */
async function visitor(prepare) {
  const made = await page(browser, { bypassCSP: true });
  await prepare?.(made.page);
  await made.page.goto(`${house.base}/`);
  await open(made.page);
  return made;
}

/** Starts the server again and lets the pages know at once. @param {import("playwright-core").Page[]} pages */
async function back(...pages) {
  await house.again();
  for (const page of pages) await page.evaluate(() => dispatchEvent(new Event("online")));
}

/** @param {import("playwright-core").Page} page @param {string} text of an own message that is stored */
const stored = (page, text) => page.waitForSelector(`.msg.visitor[data-seq]:has-text("${text}")`);
/** @param {import("playwright-core").Page} page @returns {Promise<string[]>} what is shown, in order */
const shown = (page) => page.locator(".msg[data-seq] .text").allInnerTexts();

test("a killed server shows within five seconds on both sides, and nothing is lost or doubled", async () => {
  const { page, context } = await visitor();
  await ask(page, "Is anybody there?");
  await page.waitForSelector(".msg.bot[data-seq]");
  await owner.locator(".conversation-list a[data-id]").first().click();
  await owner.waitForSelector(".composer textarea");
  await house.kill();
  await Promise.all([page.waitForSelector(LOST, { timeout: SHOWS_MS }), owner.waitForSelector(".link", { timeout: SHOWS_MS })]);
  await ask(page, "I write on.");
  await page.waitForSelector(".msg.visitor[data-state=sending]");
  await accessible(page, "reconnecting");
  await owner.fill(".composer textarea", "So do I.");
  await owner.press(".composer textarea", "Enter");
  await owner.waitForSelector(".problem:has-text('as soon as it is back')");
  await back(page, owner);
  await stored(page, "I write on.");
  await page.waitForSelector(".msg.owner:has-text('So do I.')");
  await page.waitForSelector(".line", { state: "hidden" });
  await owner.waitForSelector(".msg.owner:has-text('So do I.')");
  await page.reload();
  await open(page);
  await page.waitForSelector(".msg.owner:has-text('So do I.')");
  const texts = await shown(page);
  for (const text of ["I write on.", "So do I."]) assert.equal(texts.filter((one) => one === text).length, 1, texts.join("\n"));
  await context.close();
});

test("a message that was not sent when the page went away is sent once by the next page", async () => {
  const { page, context } = await visitor();
  await ask(page, "First words.");
  await stored(page, "First words.");
  await house.kill();
  await page.waitForSelector(LOST);
  await ask(page, "Kept words.");
  await page.goto("about:blank");
  await house.again();
  await page.goto(`${house.base}/`);
  await open(page);
  await stored(page, "Kept words.");
  const second = await context.newPage();
  await second.goto(`${house.base}/`);
  await open(second);
  await stored(second, "Kept words.");
  for (const one of [page, second]) {
    assert.deepEqual((await shown(one)).filter((text) => / words\.$/.test(text)), ["First words.", "Kept words."]);
  }
  await ask(second, "From the other tab.");
  await stored(page, "From the other tab.");
  await context.close();
});

for (const [name, blocked] of /** @type {const} */ ([["the event stream", "no"], ["long polls", "stream"]])) {
  test(`without a WebSocket the widget works over ${name}`, async () => {
    const { page, context } = await visitor(async (made) => {
      await made.routeWebSocket(/\/widget\/ws$/, (socket) => socket.close());
      // A proxy that keeps an answer back until it has ended.
      if (blocked === "stream") await made.route("**/widget/stream", () => {});
    });
    await ask(page, "How do I add the chat to my website?");
    await page.waitForSelector(".msg.bot[data-seq] button.cite");
    await house.kill();
    await page.waitForSelector(LOST, { timeout: SHOWS_MS });
    await ask(page, "And again?");
    await back(page);
    await stored(page, "And again?");
    assert.equal((await shown(page)).filter((text) => text === "And again?").length, 1);
    await context.close();
  });
}

test("those who wait see their place, and see when a person has read them", async () => {
  const [first, second] = [await visitor(), await visitor()];
  await ask(first.page, "The first of two.");
  await stored(first.page, "The first of two.");
  await first.page.click("button.person");
  await first.page.waitForSelector(".line:has-text('in line')");
  const place = Number(/\d+/.exec(await first.page.innerText(".line"))?.[0]);
  await second.page.click("button.person");
  await second.page.waitForSelector(`.line:has-text('number ${place + 1} in line')`);
  await accessible(second.page, "in line");
  await owner.locator(".conversation-list a[data-id]", { hasText: "asked for a person" }).last().click();
  await owner.waitForSelector(".thread .msg:has-text('The first of two.')");
  await owner.click("button.take");
  await first.page.waitForSelector(".line", { state: "hidden" });
  await second.page.waitForSelector(`.line:has-text('number ${place} in line')`);
  await first.page.waitForSelector(".msg.visitor[data-state=seen]:has-text('Seen')");
  await ask(first.page, "Hello, person.");
  await first.page.waitForSelector(".msg.visitor[data-state=seen]:has-text('Hello, person.')");
  await owner.fill(".composer textarea", "Hello, visitor.");
  await owner.press(".composer textarea", "Enter");
  await owner.waitForSelector(".msg.owner:has-text('Hello, visitor.') .mark:has-text('Read')");
  await accessible(first.page, "seen");
  await Promise.all([first.context.close(), second.context.close()]);
});
