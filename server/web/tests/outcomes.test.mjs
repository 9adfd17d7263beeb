// From words to outcomes through the real program: a lead, an order behind a code, a confirmed change, an approval, a screenshot.
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

const ADA = "ada@demo.example";

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

/** A visitor with the widget open. */
async function visit() {
  const made = await page(browser);
  await made.page.goto(`${house.base}/`);
  await open(made.page);
  return { ...made, visitor: made.page };
}

/** The newest message that is not the visitor's, once there is one after `seq`. @param {import("playwright-core").Page} visitor @param {string} words */
const said = (visitor, words) => visitor.locator(".msg.bot[data-seq]", { hasText: words }).last().waitFor();

/** Codes that earlier mails brought. @type {string[]} */
const used = [];

/** The code that has come to an address, from the page that shows the demo's inbox. @param {string} to */
async function code(to) {
  const { page: mail, context } = await page(browser);
  await mail.goto(`${house.base}/`);
  await mail.click("#inbox summary");
  const fresh = mail.locator("#inbox li", { hasText: to }).filter({ hasText: /\b\d{6}\b/, hasNotText: used.length ? new RegExp(used.join("|")) : undefined });
  const text = await fresh.first().innerText();
  await context.close();
  used.push(/\b\d{6}\b/.exec(text)?.[0] ?? "");
  return used.at(-1) ?? "";
}

/** The visitor shows that Ada's address is theirs. @param {import("playwright-core").Page} visitor */
async function prove(visitor) {
  await ask(visitor, ADA);
  await visitor.locator(".card.code input").waitFor();
  const right = await code(ADA);
  await visitor.fill(".card.code input", right);
  await visitor.press(".card.code input", "Enter");
}

/** Opens the conversation in which this was said. @param {string} words */
async function read(words) {
  await owner.goto(`${house.base}/console/#/`);
  const links = owner.locator(".conversation-list a[data-id]");
  await links.first().waitFor();
  const ids = await links.evaluateAll((all) => all.map((one) => one.getAttribute("data-id")));
  for (const id of ids) {
    await owner.click(`.conversation-list a[data-id='${id}']`);
    const found = owner.locator(".thread .msg", { hasText: words }).first();
    if (await found.waitFor({ timeout: 2_000 }).then(() => true, () => false)) return;
  }
  assert.fail(`no conversation says ${words}`);
}

test("a lead: from the first words to the page Leads, resumed after a question", async () => {
  const { visitor, context, errors } = await visit();
  await ask(visitor, "We are a shop with 40 people, can someone from sales call me? My mail is jo@example.org");
  await said(visitor, "jo@example.org");
  await ask(visitor, "Is there a default password?");
  await visitor.waitForSelector(".msg.bot[data-seq] button.cite");
  await ask(visitor, "answering our customers at night");
  await visitor.click(".choice:has-text('This month')");
  await said(visitor, "Thank you");
  await owner.click("a.library.leads");
  const lead = owner.locator(".lead", { hasText: "jo@example.org" });
  await lead.waitFor();
  assert.match(await lead.innerText(), /High interest[\s\S]*Complete[\s\S]*40/);
  await accessible(owner, "leads");
  const [file] = await Promise.all([owner.waitForEvent("download"), owner.click(".exports a:has-text('CSV')")]);
  assert.match(readFileSync(await file.path(), "utf8"), /jo@example\.org/);
  await lead.locator("a", { hasText: "The conversation" }).click();
  await owner.waitForSelector(".ongoing .collected");
  assert.match(await owner.innerText(".ongoing"), /jo@example\.org/);
  assert.deepEqual(errors, []);
  await context.close();
});

test("an order behind a code from the demo's inbox; a wrong code is said; then a change is confirmed on a card", async () => {
  const { visitor, context, errors } = await visit();
  await ask(visitor, "Where is my order 12345?");
  await said(visitor, "code");
  await ask(visitor, ADA);
  await visitor.locator(".card.code input").waitFor();
  const right = await code(ADA);
  const wrong = right === "111111" ? "222222" : "111111";
  await visitor.fill(".card.code input", wrong);
  await visitor.press(".card.code input", "Enter");
  await visitor.waitForSelector(".card.code input:not([readonly])");
  await visitor.fill(".card.code input", right);
  await visitor.press(".card.code input", "Enter");
  await visitor.waitForSelector(".card.result:has-text('12345')");
  await ask(visitor, "Please send my invoices to another address");
  await said(visitor, "address");
  await ask(visitor, "billing@demo.example");
  await visitor.waitForSelector(".card.confirm:has-text('billing@demo.example')");
  await ask(visitor, "yes");
  await visitor.locator(".card.confirm button.yes").waitFor();
  assert.equal(await visitor.locator(".card.result").count(), 1, "a word is no confirmation");
  await visitor.click(".card.confirm button.yes");
  await visitor.waitForSelector(".card.result:has-text('billing@demo.example')");

  await read("billing@demo.example");
  await owner.waitForSelector(`.ongoing:has-text('${ADA}')`);
  await owner.click(".ongoing .done summary");
  assert.equal(await owner.locator(".ongoing .call").count(), 2);
  const words = await owner.innerText("main.conversation");
  assert.ok(!words.includes(right) && !words.includes(wrong), "no code stands in the conversation");
  await accessible(owner, "a conversation with calls");
  assert.deepEqual(errors, []);
  await context.close();
});

for (const [name, press, ends] of /** @type {const} */ ([["approves", "Approve", "Done"], ["refuses", "Refuse", "Refused"]])) {
  test(`a pause is confirmed by the visitor, and the owner ${name} it`, async () => {
    const { visitor, context, errors } = await visit();
    await ask(visitor, "Please pause my subscription");
    await said(visitor, "months");
    await ask(visitor, "2");
    await said(visitor, "code");
    await prove(visitor);
    await visitor.click(".card.confirm button.yes");
    await owner.goto(`${house.base}/console/#/actions`);
    const call = owner.locator(".call.waits");
    await call.waitFor();
    assert.match(await call.innerText(), /Pause[\s\S]*ada@demo\.example[\s\S]*2/);
    await accessible(owner, "actions");
    assert.equal(await visitor.locator(".card.result").count(), 0, "nothing happens before");
    const id = await call.getAttribute("data-call");
    await call.locator("button", { hasText: press }).click();
    await owner.locator(`[data-call='${id}'] .state-chip`, { hasText: ends }).waitFor();
    if (press === "Approve") await visitor.waitForSelector(".card.result");
    else await visitor.locator(".msg.bot[data-seq], .msg.system[data-seq]").last().waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("a screenshot is asked for, sent, and saved by the owner as it was", async () => {
  const { visitor, context, errors } = await visit();
  await ask(visitor, "I cannot sign in to the console");
  await visitor.click(".choice:has-text('Yes')");
  await visitor.click(".choice:has-text('Something else')");
  await visitor.waitForSelector(".card.upload");
  const picture = await visitor.screenshot();
  await visitor.setInputFiles(".card.upload input", { name: "évil\"name.png", mimeType: "image/png", buffer: picture });
  await visitor.waitForSelector(".msg.visitor .card.file");
  await read("cannot sign in");
  const link = owner.locator(".shown.file a");
  await link.waitFor();
  const [file] = await Promise.all([owner.waitForEvent("download"), link.click()]);
  assert.deepEqual(readFileSync(await file.path()), picture);
  await accessible(owner, "a conversation with a file");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the console showed no error on the way", () => {
  assert.deepEqual(ownerErrors, []);
});
