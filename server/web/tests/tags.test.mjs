// What the owner does about tags: sees them come, puts one right with the keyboard, takes the example back.
import assert from "node:assert/strict";
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

const OFF_TOPIC = "Which film should I watch tonight?";

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  const first = await page(browser, { bypassCSP: true });
  owner = first.page;
  ownerErrors = first.errors;
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** A visitor who has said something, and the owner's line for it. @param {string} text */
async function said(text) {
  const { page: visitor, context } = await page(browser);
  await visitor.goto(`${house.base}/`);
  await visitor.waitForSelector("button.launcher");
  await open(visitor);
  await ask(visitor, text);
  await visitor.waitForSelector(".msg.bot[data-seq]");
  return { visitor, context };
}

test("a tag is put right with the keyboard, learned, and taken back", async () => {
  const { context } = await said(OFF_TOPIC);
  const line = owner.locator(".conversation-list a[data-id]").first();
  await line.locator(".tag", { hasText: "Off topic" }).waitFor();
  await line.click();
  await owner.waitForSelector(".msg.visitor .tag:has-text('Off topic')");
  await owner.focus(".tag-choice select");
  await owner.keyboard.type("Product q");
  await owner.waitForSelector(".tag-choice button");
  await accessible(owner, "choosing a tag");
  await owner.keyboard.press("Tab");
  await owner.keyboard.press("Enter");
  await owner.waitForSelector(".msg.visitor .tag:has-text('Product question')");
  await line.locator(".tag", { hasText: "Product question" }).waitFor();
  await owner.click("a.examples");
  await owner.waitForSelector(`tr:has-text('${OFF_TOPIC}')`);
  await accessible(owner, "learned examples");

  const second = await said(OFF_TOPIC);
  await owner.locator(".conversation-list .tag:has-text('Product question')").nth(1).waitFor();
  await second.context.close();
  await owner.click("button.forget");
  await owner.waitForSelector("text=No tag was corrected yet.");
  await context.close();
});

test("the console showed no error on the way", () => {
  assert.deepEqual(ownerErrors, []);
});
