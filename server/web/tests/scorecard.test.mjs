// The scorecard through the real program: conversations of visitors, their figures, assumptions, the thing to do, paper and a phone.
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
let errors;

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
  const first = await page(browser, { bypassCSP: true });
  owner = first.page;
  errors = first.errors;
  await signUp(owner, house.setup);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** Opens the page by its link, and has it read again. */
async function look() {
  await owner.goto(`${house.base}/console/#/scorecard`);
  await owner.locator(".scorecard h3").first().waitFor();
  await owner.click(".sheet .head button:has-text('Refresh')");
}

/** The value of a figure by its name. @param {string} label */
const figure = (label) => owner.locator(".figure", { has: owner.locator("dt", { hasText: new RegExp(`^${label}$`) }) }).first();

/** A visitor who asks and is answered. @param {string} words */
async function visit(words) {
  const made = await page(browser);
  await made.page.goto(`${house.base}/`);
  await open(made.page);
  await ask(made.page, words);
  await made.page.locator(".msg.bot[data-seq]").first().waitFor();
  return made;
}

/** @param {string} media @param {number} width */
async function fits(media, width) {
  const wide = await owner.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `${media}: ${wide} pixels on a screen of ${width}`);
}

test("an empty scorecard teaches what it will show", async () => {
  await look();
  await owner.waitForSelector(".teach:has-text('first message')");
  await accessible(owner, "an empty scorecard");
});

test("conversations become figures", async () => {
  const asked = await visit("Which port does Porchlight listen on?");
  const helped = await visit("Can I talk to a person?");
  await owner.locator(".conversation-list a.waiting").first().click();
  await owner.click("button.take");
  await owner.fill(".composer textarea", "Hello, a person here.");
  await owner.press(".composer textarea", "Enter");
  await helped.page.waitForSelector(".msg.owner:has-text('a person here')");
  await owner.click("button.close");
  await owner.waitForSelector(".state-chip.closed");
  await look();
  await figure("Cases").locator("strong:text-is('2')").waitFor();
  assert.match(await figure("Person's first reply").innerText(), /n 1/);
  assert.match(await figure("Solved without a person").innerText(), /0 of 1/);
  assert.match(await figure("NPS, four weeks").innerText(), /Not yet\s+0 of the 40 answers/);
  assert.match(await owner.innerText("#hand-offs"), /Asked for a person/i);
  assert.equal(await owner.locator("svg.plot:not(:has(> title + desc))").count(), 0, "each picture has its words");
  assert.equal(await owner.locator("figure.chart:not(:has(details table))").count(), 0, "and a table behind it");
  await owner.click("#frt summary");
  assert.match(await owner.innerText("#frt table"), /0–30 s\s+[12]/);
  await accessible(owner, "a scorecard");
  assert.deepEqual([...asked.errors, ...helped.errors], []);
  await Promise.all([asked.context.close(), helped.context.close()]);
});

test("a period without cases is empty, and the filters are of the whole one", async () => {
  await owner.selectOption("select[name=span]", "own");
  // In this order the dates on the way are no period, and nothing is asked.
  await owner.fill("input[name=last]", "2020-01-07");
  await owner.fill("input[name=first]", "2020-01-01");
  await owner.waitForSelector(".teach");
  await owner.selectOption("select[name=span]", "month");
  await figure("Cases").locator("strong:text-is('2')").waitFor();
  const pages = await owner.locator("select[name=page] option").allInnerTexts();
  assert.equal(pages.length, 2, String(pages));
  await owner.selectOption("select[name=page]", { index: 1 });
  await figure("Cases").locator("strong:text-is('2')").waitFor();
  await owner.selectOption("select[name=page]", "");
});

test("assumptions are the owner's, and wrong ones stay on the page", async () => {
  await owner.fill("input[name=tool_costs]", "30");
  await owner.fill("input[name=attributed_share]", "50");
  await owner.fill("input[name=currency]", "usd");
  await owner.click(".assumptions button");
  await owner.waitForSelector(".note.done:has-text('saved')");
  await owner.reload();
  await look();
  await owner.waitForFunction(() => /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=tool_costs]"))?.value === "30");
  assert.equal(await owner.inputValue("input[name=attributed_share]"), "50");
  assert.equal(await owner.inputValue("input[name=currency]"), "USD");
  assert.match(await figure("Support cost saved").innerText(), /\$/);
});

test("the thing to do is the owner's own words, done and not done", async () => {
  await owner.click(".item-of-week button.other");
  await owner.fill("textarea[name=item]", "Write a page about ports");
  await owner.selectOption("select[name=measure]", "fast");
  await owner.click(".item-of-week button.primary");
  const item = owner.locator(".item-of-week .finding");
  await item.locator("p:has-text('Write a page about ports')").waitFor();
  await item.locator("button.done").click();
  await item.locator(".state-chip:has-text('Done')").waitFor();
  await item.locator("button.done").click();
  await item.locator(".state-chip").waitFor({ state: "detached" });
});

test("nobody gets the week's mail without a route, and the page says how to make one", async () => {
  await owner.click("button.mail");
  await owner.waitForSelector(".problem:has-text('weekly_scorecard')");
  assert.ok(errors.pop()?.includes("409"), "the browser notes the refusal");
});

test("it reads in the dark, on a phone and on paper", async () => {
  await owner.emulateMedia({ colorScheme: "dark" });
  await accessible(owner, "a dark scorecard");
  await owner.emulateMedia({ colorScheme: "light" });
  await fits("desktop", 1280);
  await owner.setViewportSize({ width: 390, height: 844 });
  await fits("phone", 390);
  await accessible(owner, "a scorecard on a phone");
  await owner.setViewportSize({ width: 1280, height: 800 });
  const open = () => owner.locator(".scorecard details[open]").count();
  const all = await owner.locator(".scorecard details").count();
  const before = await open();
  await owner.emulateMedia({ media: "print" });
  await owner.waitForFunction((count) => document.querySelectorAll(".scorecard details[open]").length === count, all);
  assert.equal(await owner.locator(".side").isVisible(), false, "no sidebar on paper");
  assert.equal(await owner.locator(".controls").isVisible(), false);
  await owner.emulateMedia({ media: "screen" });
  await owner.waitForFunction((count) => document.querySelectorAll(".scorecard details[open]").length === count, before);
  assert.deepEqual(errors, []);
});
