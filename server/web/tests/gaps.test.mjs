// The loop through the real program: asked in vain, answered by the owner, proposed, accepted, and answered for the next visitor.
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

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };
const QUESTION = "Where does the yearly gardeners' picnic in Lisbon take place?";
const ANSWER = "The yearly gardeners' picnic takes place in the Jardim da Estrela in Lisbon, on the first Sunday of May.";

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

/** A visitor who asks. */
async function asks() {
  const made = await page(browser);
  await made.page.goto(`${house.base}/`);
  await open(made.page);
  await ask(made.page, QUESTION);
  await made.page.waitForSelector(".msg.bot[data-seq]");
  return made;
}

test("an empty page teaches what will stand there", async () => {
  await owner.click("a.library.gaps");
  await owner.waitForSelector("text=Nothing was gathered yet");
  await accessible(owner, "no gaps");
  await owner.click("button.gather");
  await owner.waitForSelector("text=No gap");
  await owner.goto(`${house.base}/console/#/`);
});

test("what was asked in vain is answered for the next visitor, with a citation", async () => {
  const { page: visitor, context, errors } = await asks();
  assert.equal(await visitor.locator("button.cite").count(), 0, "nothing in the manual answers it");
  await owner.locator(".conversation-list a[data-id]").first().click();
  await owner.click("button.take");
  await owner.fill(".composer textarea", `Hi Jo,\n${ANSWER}\nBest regards\nAda`);
  await owner.click("button.send");
  await visitor.waitForSelector(".msg.owner:has-text('Jardim')");
  await owner.click("button.close");
  await owner.waitForSelector(".state-chip:has-text('Closed')");

  await owner.goto(`${house.base}/console/#/gaps`);
  await owner.click("button.gather");
  const gap = owner.locator(".gap", { hasText: "picnic" });
  await gap.locator("form.editor").waitFor();
  assert.equal(await gap.locator("input[name=question]").inputValue(), QUESTION);
  assert.equal(await gap.locator("textarea[name=answer]").inputValue(), ANSWER);
  await gap.locator("details summary").click();
  await accessible(owner, "a gap with a proposal");
  await owner.setViewportSize(PHONE);
  await accessible(owner, "a gap on a phone");
  assert.equal(await owner.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await owner.setViewportSize(DESK);
  await gap.locator("button.accept").click();
  await owner.locator(".gap .state-chip:has-text('In the knowledge')").waitFor();

  const published = () => owner.evaluate(async () => {
    const { documents } = await (await fetch("/console/api/knowledge")).json();
    return documents.some((/** @type {{ path: string }} */ one) => one.path === "from-chats.md");
  });
  while (!(await published()));
  await owner.click("button.replay");
  await owner.locator("section[aria-labelledby=changes-title] [role=status]").waitFor();
  await accessible(owner, "what the edits changed");
  const next = await asks();
  await next.page.waitForSelector(".msg.bot[data-seq] button.cite");
  assert.match(await next.page.locator(".msg.bot[data-seq]").last().innerText(), /Jardim da Estrela/);
  assert.deepEqual(next.errors, []);
  await next.context.close();
  assert.deepEqual([...errors, ...ownerErrors], []);
  await context.close();
});
