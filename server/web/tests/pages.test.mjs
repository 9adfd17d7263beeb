// What every page has to be: accessible, usable on a phone, and embeddable where the owner allows it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, ask, browse, open, page, signUp, start } from "./porchlight.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:http").Server} */
let site;
let origin = "";

before(async () => {
  // Somebody else's website, on an origin of its own.
  site = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end(`<!doctype html><title>Shop</title><h1>Shop</h1><script src="${house.base}/widget.js" async></script>`);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (site.address());
  origin = `http://127.0.0.1:${address.port}`;
  [house, browser] = await Promise.all([start({ PORCHLIGHT__SERVER__ALLOWED_ORIGINS: `["${origin}"]` }), browse()]);
});

after(async () => {
  await browser?.close();
  site?.close();
  await house?.stop();
});

/** @param {import("playwright-core").Page} page */
function sideways(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

for (const [name, options] of /** @type {const} */ ([["desktop", {}], ["phone", PHONE], ["dark", { colorScheme: "dark" }]])) {
  test(`the widget and the demo page are accessible (${name})`, async () => {
    const { page: visitor, context, errors } = await page(browser, { ...options, bypassCSP: true });
    await visitor.goto(`${house.base}/`);
    await accessible(visitor, "demo page");
    await open(visitor);
    await ask(visitor, "How do I add the chat to my website?");
    await visitor.waitForSelector(".msg.bot[data-seq] button.cite");
    await accessible(visitor, "open widget");
    await visitor.click(".msg.bot button.cite");
    await accessible(visitor, "citation");
    assert.equal(await sideways(visitor), 0);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("the console and a document's page are accessible", async () => {
  const { page: owner, context, errors } = await page(browser, { bypassCSP: true });
  await owner.goto(house.setup);
  await owner.waitForSelector("form.setup");
  await accessible(owner, "set-up");
  await signUp(owner, house.setup);
  await owner.locator(".conversation-list a[data-id]").first().click();
  await owner.waitForSelector(".composer textarea");
  await accessible(owner, "conversation");
  await owner.setViewportSize(PHONE.viewport);
  await accessible(owner, "conversation on a phone");
  assert.equal(await sideways(owner), 0);
  await owner.goto(`${house.base}/kb/install.md`);
  await accessible(owner, "document");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the owner looks the documents over, searches them and previews an edit", async () => {
  const { page: owner, context, errors } = await page(browser, { bypassCSP: true });
  await owner.goto(`${house.base}/console/`);
  await owner.fill("form.signin input[name=email]", "ada@example.org");
  await owner.fill("form.signin input[name=password]", "correct horse 1");
  await owner.press("form.signin input[name=password]", "Enter");
  await owner.click("a.library.knowledge");
  await owner.waitForSelector(".knowledge .standing code.version");
  await owner.waitForSelector(".versions li.answers");
  assert.match(await owner.innerText(".scroll table"), /install\.md/);
  await owner.fill(".search input", "How do I add the chat to my website?");
  await owner.press(".search input", "Enter");
  await owner.waitForSelector(".hit .scores");
  assert.match(await owner.innerText(".hits > .hit:first-child"), /widget-embed\.md[\s\S]*cosine[\s\S]*BM25/i);
  await owner.click("button.check");
  await owner.waitForSelector(".findings");
  await accessible(owner, "knowledge");
  await owner.click("button.edit[aria-label='Edit about.md']");
  await owner.fill(".editor textarea", "# About\n\n## One\n\nOne.\n\n## Two\n\nTwo.\n");
  await owner.click("button.try");
  await owner.waitForSelector(".trial .hit:nth-child(2)");
  assert.match(await owner.innerText(".trial"), /Passages: 2/);
  await accessible(owner, "editor");
  await owner.setInputFiles(".upload input", join(import.meta.dirname, "../../../retrieval/tests/files/library-rules.docx"));
  await owner.waitForSelector("text=Library rules › Fees");
  assert.match(await owner.innerText(".editor"), /library-rules\.docx, \d+ KiB[\s\S]*Passages: \d/);
  await accessible(owner, "upload");
  await owner.setViewportSize(PHONE.viewport);
  await accessible(owner, "knowledge on a phone");
  assert.equal(await sideways(owner), 0);
  await owner.click("a.back");
  await owner.waitForSelector(".conversation-list");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the owner reads the rules and says how many answers may be wrong", async () => {
  const { page: owner, context, errors } = await page(browser, { bypassCSP: true });
  await owner.goto(`${house.base}/console/`);
  await owner.fill("form.signin input[name=email]", "ada@example.org");
  await owner.fill("form.signin input[name=password]", "correct horse 1");
  await owner.press("form.signin input[name=password]", "Enter");
  await owner.click("a.library[href='#/rules']");
  await owner.waitForSelector(".rulebook svg.curve circle");
  assert.match(await owner.innerText(".rulebook"), /Asks for person[\s\S]*policy\.toml, line \d+/);
  await accessible(owner, "rules");
  await owner.focus("#wrong");
  await owner.keyboard.press("Home");
  await owner.waitForSelector("button.release");
  assert.match(await owner.innerText(".allow"), /At most 1% wrong/);
  await owner.reload();
  await owner.waitForSelector("button.release");
  await owner.click("button.release");
  await owner.waitForSelector("button.use");
  await owner.setViewportSize(PHONE.viewport);
  await accessible(owner, "rules on a phone");
  assert.equal(await sideways(owner), 0);
  assert.deepEqual(errors, []);
  await context.close();
});

test("another website embeds the widget with one script tag", async () => {
  const { page: visitor, context, errors } = await page(browser);
  await visitor.goto(`${origin}/`);
  await visitor.waitForSelector("button.launcher");
  await open(visitor);
  await ask(visitor, "How do I add the chat to my website?");
  await visitor.waitForSelector(".msg.bot[data-seq] button.cite");
  assert.deepEqual(errors, []);
  await context.close();
});
