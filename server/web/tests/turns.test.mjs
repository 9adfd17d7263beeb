// Turns: the line that fills a long wait, and suggestions that stand in the owner's composer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, browse, open, page, scripted, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;

const QUESTION = "How do I add the chat to my website?";
const BOX = ".composer textarea";

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** A widget whose server is the test and whose time is the test's. */
async function timed() {
  const made = await scripted(browser, house.base, { prepare: (one) => one.clock.install() });
  await made.page.clock.pauseAt(Date.now() + 60_000);
  const typing = (/** @type {boolean} */ on) => made.send({ type: "typing", from: "bot", on, expires_ms: 10_000,
    ...(on && { status: { text: "Looking that up…", after_ms: 1_000 } }) });
  return { ...made, typing, line: made.page.locator(".typing .preamble") };
}

test("a line fills a wait of more than a second, and goes whatever ends the wait", async () => {
  const { page, context, errors, send, typing, line } = await timed();
  let turn = 0;
  const draft = (/** @type {Record<string, unknown>} */ more) => send({ type: "draft", draft_id: String(turn).repeat(32), ...more });
  const ends = {
    "text comes": () => draft({ phase: "piece", piece: { text: "Here.", cite: null } }),
    "the draft is taken back": () => draft({ phase: "stop" }),
    "nobody writes any more": () => typing(false),
    "a message comes": () => send({ type: "message", conversation: "c".repeat(32), seq: 1, from: "bot", at: 0, text: "Hello.", pieces: [],
      citations: [], draft_id: null, client_msg_id: null, author: null }),
    "a person takes over": () => send({ type: "state", state: "owner", generation: 1, author: "Ada" }),
  };
  for (const [name, end] of Object.entries(ends)) {
    turn += 1;
    typing(true);
    if (name !== "nobody writes any more" && name !== "a message comes") draft({ phase: "start" });
    await page.waitForSelector(".typing .dots");
    await page.clock.runFor(999);
    assert.equal(await line.textContent(), "", `${name}: too early`);
    await page.clock.runFor(1);
    assert.equal(await line.textContent(), "Looking that up…", name);
    assert.equal(await line.getAttribute("role"), "status");
    end();
    await line.waitFor({ state: "detached" });
    await page.clock.runFor(8_000); // no longer: answers to the heartbeat take time that this clock does not count
    assert.equal(await line.count(), 0, `${name}: it came back`);
  }
  assert.deepEqual(errors, []);
  await context.close();
});

test("the line ends by itself when nothing more is heard", async () => {
  const { page, context, typing, line } = await timed();
  typing(true);
  await page.waitForSelector(".typing .dots");
  await page.clock.runFor(1_000);
  assert.equal(await line.textContent(), "Looking that up…");
  await page.clock.runFor(9_000);
  assert.equal(await line.count(), 0);
  await context.close();
});

test("a suggestion stands in the empty composer, to be sent, edited or discarded; own words are never changed", async () => {
  const { page: owner, context: desk, errors } = await page(browser);
  await signUp(owner, house.setup);
  const { page: visitor, context } = await page(browser);
  await visitor.goto(`${house.base}/`);
  await open(visitor);
  await visitor.click("button.person");
  const line = owner.locator(".conversation-list a[data-id]", { hasText: "You asked for a person" });
  await line.click();
  await owner.click("button.take");
  await visitor.waitForSelector(".msg.system:has-text('Ada joined')");

  const box = owner.locator(BOX);
  const offered = owner.locator(".composer .suggestion.offer");
  await ask(visitor, QUESTION);
  await offered.waitFor();
  assert.match(await box.inputValue(), /script/);
  assert.match(await offered.innerText(), /Suggested reply[\s\S]*Confidence[\s\S]*%/);
  assert.ok(await offered.locator(".sources li").count() > 0, "its sources stand beside it");
  assert.equal(await owner.locator(".thread .suggestion").count(), 0, "it stands in one place");
  await box.press("Escape");
  await offered.waitFor({ state: "detached" });
  assert.equal(await box.inputValue(), "");

  await ask(visitor, QUESTION);
  await offered.waitFor();
  await box.press("Enter");
  await visitor.waitForSelector(".msg.owner button.cite");
  assert.equal(await box.inputValue(), "");

  await ask(visitor, QUESTION);
  await offered.waitFor();
  await box.press("End");
  await box.pressSequentially(" Good luck!");
  await owner.waitForSelector(".editing");
  await box.press("Enter");
  await visitor.waitForSelector(".msg.owner:has-text('Good luck!')");

  await box.fill("Let me think");
  await ask(visitor, QUESTION);
  await owner.waitForSelector(".thread .suggestion button.accept");
  assert.equal(await box.inputValue(), "Let me think", "own words are never changed");
  assert.equal(await offered.count(), 0);
  const verdicts = await owner.evaluate(async () => (await (await fetch("/console/api/verdicts")).json()).verdicts);
  assert.deepEqual(verdicts.map((/** @type {{ status: string }} */ one) => one.status), ["edited", "accepted", "discarded"]);
  assert.equal(verdicts[0].distance, " Good luck!".length);
  assert.deepEqual(errors, []);
  await Promise.all([desk.close(), context.close()]);
});
