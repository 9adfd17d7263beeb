// What the owner does about tags and with saved replies: puts a tag right, writes a reply with slots, sends it filled.
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

test("a saved reply is written, filled from the conversation and sent only when no slot is empty", async () => {
  await owner.click("a.saved");
  for (const [title, text, tag] of [["Agenda", "Nothing in particular.", ""], ["Price list", "Hello {name}, it goes to {email}.", "pricing"]]) {
    await owner.click("button.new-reply");
    await owner.fill(".editor input[name=title]", title);
    await owner.fill(".editor textarea", text);
    await owner.selectOption(".editor select", tag);
    await accessible(owner, "writing a saved reply");
    await owner.click(".editor button.save");
    await owner.waitForSelector(`tr:has-text('${title}')`);
  }
  await accessible(owner, "saved replies");
  const { visitor, context } = await said("How much does it cost? Mail me: Ada@example.org");
  await owner.locator(".conversation-list a[data-id]", { hasText: "Pricing" }).first().click();
  await owner.waitForSelector(".named dd:has-text('ada@example.org')");
  await owner.focus(".composer textarea");
  await owner.keyboard.press("/");
  await owner.waitForSelector(".choices [role=option]");
  const options = owner.locator(".choices [role=option] strong");
  assert.deepEqual(await options.allInnerTexts(), ["Price list", "Agenda"], "the tag's own first");
  await accessible(owner, "picker");
  await owner.keyboard.press("ArrowDown");
  await owner.waitForSelector(".choices [aria-selected=true]:has-text('Agenda')");
  await owner.keyboard.press("Escape");
  await owner.waitForSelector(".choices", { state: "detached" });
  assert.equal(await owner.inputValue(".composer textarea"), "");
  await owner.keyboard.press("/");
  await owner.waitForSelector(".choices [role=option]");
  await owner.keyboard.type("price");
  await owner.waitForSelector(".choices [role=option]:only-child");
  await owner.keyboard.press("Enter");
  await owner.waitForSelector(".slots:has-text('{name}')");
  assert.equal(await owner.inputValue(".composer textarea"), "Hello {name}, it goes to ada@example.org.");
  await owner.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA"
    && /** @type {HTMLTextAreaElement} */ (document.activeElement).selectionEnd > /** @type {HTMLTextAreaElement} */ (document.activeElement).selectionStart);
  assert.ok(await owner.isDisabled(".composer .send"));
  await accessible(owner, "an empty slot");
  await owner.keyboard.press("Enter");
  assert.equal(await visitor.locator(".msg.owner").count(), 0, "not by accident");
  await owner.keyboard.type("Ada");
  await owner.waitForSelector(".slots", { state: "detached" });
  await owner.keyboard.press("Enter");
  await visitor.waitForSelector(".msg.owner:has-text('Hello Ada, it goes to ada@example.org.')");
  await context.close();
});

test("the console showed no error on the way", () => {
  assert.deepEqual(ownerErrors, []);
});
