// What is asked after a chat: by keyboard and by taps, on phones and on a desk, and what comes of it for the owner.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, ask, browse, open, page, prompts, scripted, signUp, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;
const texts = prompts("surveys.toml", "[csat]\nscale = 5\n[nps]\nevery = 1\n[resolve]\nask_solved = true\n");

const CONVERSATION = "c".repeat(32);
const CSAT = { id: "d".repeat(32), kind: "csat", scale: 5, look: "stars", question: "How was this chat?", comment_question: "Anything you would like to add?", score: null, open: true };
const NPS = { ...CSAT, id: "e".repeat(32), kind: "nps", scale: 10, look: "numbers", question: "How likely are you to recommend us to a friend or colleague?",
  comment_question: "What is the main reason for your score?" };
const SIZES = /** @type {const} */ ([["narrow", { width: 320, height: 640 }], ["phone", { width: 390, height: 844 }], ["desk", { width: 1280, height: 800 }]]);
const SHOTS = process.env.SHOTS ?? "";

before(async () => {
  [house, browser] = await Promise.all([start(texts.env), browse()]);
});

after(async () => {
  await browser?.close();
  await house?.stop();
  texts.remove();
});

/** @param {import("playwright-core").Page} page @param {string} name */
async function shoot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** A widget whose server is the test, with an answer on the screen. @param {import("playwright-core").BrowserContextOptions} [options] */
async function answered(options = {}) {
  const made = await scripted(browser, house.base, options);
  await made.sent("hello");
  made.send({ type: "welcome", v: 1, token: "a".repeat(64), conversation: CONVERSATION, epoch: "e", head: 0, state: "bot", generation: 0, author: null,
    site: { name: "Shop", greeting: "Hello!" }, owner_online: false, restored: false, known: {}, owner_read: 0, queue: null, survey: null, ask_solved: true });
  let seq = 0;
  const say = (/** @type {"bot" | "visitor"} */ from, /** @type {string} */ text) => {
    seq += 1;
    const citations = from === "bot" ? [{ number: 1, doc: "port.md", title: "Ports", heading: [], excerpt: text, mark: [0, 9], url: "/kb/port.md" }] : [];
    made.send({ type: "message", conversation: CONVERSATION, seq, from, at: 0, text, pieces: [], citations, draft_id: null, client_msg_id: null, author: null });
    return made.page.waitForSelector(`.msg[data-seq='${seq}']`);
  };
  await say("visitor", "Which port does it listen on?");
  await say("bot", "Porchlight listens on port 7878 unless you change the port.");
  const focused = () => made.page.evaluate(() => {
    const at = document.querySelector("porchlight-widget")?.shadowRoot?.activeElement;
    return at?.getAttribute("aria-label") ?? at?.textContent ?? "";
  });
  const close = () => made.send({ type: "state", state: "closed", generation: 1, author: null });
  const survey = (/** @type {object | null} */ one) => made.send({ type: "survey", survey: one });
  return { ...made, say, focused, close, survey, key: (/** @type {string} */ name) => made.page.keyboard.press(name) };
}

test("both questions are answered with the keyboard alone", async () => {
  const { page, context, errors, sent, focused, close, survey, key } = await answered();
  assert.equal(await page.innerText(".solved span"), "Did this solve it?");
  await page.focus(".solved .quick");
  await key("Enter");
  await sent("resolve");
  close();
  survey(CSAT);
  await page.waitForSelector(".survey .score");
  await page.waitForFunction(() => document.querySelector("porchlight-widget")?.shadowRoot?.activeElement?.getAttribute("role") === "radio");
  assert.equal(await focused(), "1 of 5, very bad");
  for (let step = 0; step < 3; step += 1) await key("ArrowRight");
  assert.equal(await focused(), "4 of 5, good");
  assert.equal(await page.locator(".score[aria-checked=true]").count(), 0, "moving chooses nothing");
  await key("ArrowLeft");
  await key("End");
  await key("ArrowRight");
  assert.equal(await focused(), "1 of 5, very bad");
  await key("End");
  await key("ArrowLeft");
  await key("Space");
  assert.deepEqual(await sent("survey_answer"), [{ type: "survey_answer", id: CSAT.id, score: 4, comment: null }]);
  assert.match(await page.innerText("[role=status].sr >> nth=-1"), /4 of 5, good/);
  survey({ ...CSAT, score: 4 });
  assert.equal(await page.innerText(".survey .yes"), "Done");
  await key("Tab");
  await page.keyboard.type("Quick!");
  assert.equal(await page.innerText(".survey .yes"), "Send");
  await key("Tab");
  await key("Enter");
  assert.deepEqual((await sent("survey_answer", 2))[1], { type: "survey_answer", id: CSAT.id, score: 4, comment: "Quick!" });
  survey({ ...CSAT, score: 4 });
  await page.waitForSelector(".survey", { state: "hidden" });
  survey(NPS);
  await page.waitForSelector(".survey .numbers");
  assert.equal(await focused(), "0 of 10, not at all likely");
  await key("End");
  assert.equal(await focused(), "10 of 10, extremely likely");
  await key("Enter");
  await key("Tab");
  await key("Tab");
  await key("Enter");
  assert.deepEqual((await sent("survey_answer", 4)).slice(2).map((one) => [one.score, one.comment]), [[10, null], [10, ""]]);
  survey(null);
  await page.waitForSelector(".survey", { state: "hidden" });
  assert.equal(await focused(), "Write again here");
  assert.equal(await page.innerText(".over p"), "Thank you for your feedback");
  await key("Enter");
  assert.equal(await focused(), "Your message");
  assert.deepEqual(errors, []);
  await context.close();
});

for (const [name, viewport] of SIZES) {
  test(`questions look right and are tapped, ${name}`, async () => {
    const touch = name === "desk" ? {} : { hasTouch: true, isMobile: true };
    const { page, context, errors, sent, close, survey } = await answered({ viewport, bypassCSP: true, ...touch });
    const press = (/** @type {string} */ what) => (name === "desk" ? page.click(what) : page.tap(what));
    const fits = async (/** @type {string} */ what) => {
      const wide = await page.evaluate(() => [...(document.querySelector("porchlight-widget")?.shadowRoot?.querySelectorAll(".panel, .log, .survey, .survey *, .over, .low") ?? [])]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline" && !one.classList.contains("sr")).map((one) => one.className));
      assert.deepEqual(wide, [], what);
    };
    await shoot(page, `${name}-1-answer`);
    await accessible(page, "the row below an answer");
    await fits("the row below an answer");
    await press(".low .ender");
    await sent("resolve");
    close();
    survey(CSAT);
    await page.waitForSelector(".survey .score");
    await shoot(page, `${name}-2-stars`);
    await accessible(page, "stars");
    await fits("stars");
    await press(".score[data-score='4']");
    assert.equal((await sent("survey_answer"))[0].score, 4);
    await page.waitForSelector(".survey .more textarea");
    await shoot(page, `${name}-3-comment`);
    await accessible(page, "a comment");
    await fits("a comment");
    await press(".survey .yes");
    assert.equal((await sent("survey_answer", 2))[1].comment, "");
    survey(NPS);
    await page.waitForSelector(".survey .numbers");
    await shoot(page, `${name}-4-numbers`);
    await accessible(page, "numbers");
    await fits("numbers");
    for (const box of await page.locator(".score").all()) {
      const { width = 0, height = 0 } = (await box.boundingBox()) ?? {};
      assert.ok(width >= 24 && height >= 36, `a finger hits it: ${width} × ${height}`);
    }
    await press(".survey .later");
    assert.deepEqual((await sent("survey_decline"))[0], { type: "survey_decline", id: NPS.id });
    survey({ ...CSAT, id: "f".repeat(32), scale: 3, look: "faces" });
    await page.waitForSelector(".survey .faces");
    await shoot(page, `${name}-5-faces`);
    await accessible(page, "faces");
    await press(".score[data-score='3']");
    await shoot(page, `${name}-6-face-chosen`);
    survey(null);
    await page.waitForSelector(".survey", { state: "hidden" });
    await shoot(page, `${name}-7-over`);
    await accessible(page, "the end");
    await fits("the end");
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("in the dark and without motion it can be read as well", async () => {
  const { page, context, errors, close, survey } = await answered({ bypassCSP: true, colorScheme: "dark", reducedMotion: "reduce", viewport: { width: 390, height: 844 } });
  close();
  survey(CSAT);
  await page.waitForSelector(".survey .score");
  await page.click(".score[data-score='3']");
  await shoot(page, "dark-stars");
  await accessible(page, "stars in the dark");
  survey(NPS);
  await page.waitForSelector(".survey .numbers");
  await page.click(".score[data-score='8']");
  await shoot(page, "dark-numbers");
  await accessible(page, "numbers in the dark");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the row is below the newest answer only, goes when the visitor writes on, and says what to do if it is not solved", async () => {
  const { page, context, errors, say, focused } = await answered();
  await say("bot", "Change it with --listen.");
  assert.equal(await page.locator(".solved").count(), 1);
  assert.equal(await page.locator(".msg[data-seq='3'] .solved").count(), 1);
  await page.click(".solved .quick:has-text('Not yet')");
  assert.match(await page.innerText(".solved"), /talk to a person/);
  assert.equal(await focused(), "Your message");
  await page.keyboard.type("It does not start");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".solved", { state: "detached" });
  assert.deepEqual(errors, []);
  await context.close();
});

test("who writes while the owner ends the chat answers nothing by accident, and keeps the words", async () => {
  const { page, context, errors, focused, close, survey } = await answered();
  await page.fill(".panel textarea", "One more");
  close();
  survey(CSAT);
  await page.waitForSelector(".survey .score");
  assert.equal(await focused(), "Write again here");
  await page.keyboard.press("Space");
  assert.equal(await focused(), "Your message");
  assert.equal(await page.inputValue(".panel .composer textarea"), "One more");
  assert.equal(await page.locator(".score[aria-checked=true]").count(), 0);
  assert.deepEqual(errors, []);
  await context.close();
});

/** Signs an owner up once. @type {Promise<Awaited<ReturnType<typeof page>>> | undefined} */
let signed;
function owner() {
  signed ??= page(browser, { bypassCSP: true }).then(async (made) => {
    await signUp(made.page, house.setup);
    return made;
  });
  return signed;
}

test("a chat with the bot alone: solved, rated low, looked at again by the owner, and taken up again", async () => {
  const { page: desk, errors: deskErrors } = await owner();
  const { page: visitor, context, errors } = await page(browser);
  await visitor.goto(`${house.base}/`);
  await open(visitor);
  assert.ok(await visitor.isHidden(".ender"), "nothing has begun");
  await ask(visitor, "How do I add the chat to my website?");
  await visitor.click(".solved .quick:has-text('Yes, thanks')", { timeout: 60_000 });
  await visitor.click(".score[data-score='2']");
  await visitor.reload();
  await open(visitor);
  await visitor.waitForSelector(".score[data-score='2'][aria-checked=true]");
  await visitor.fill(".survey textarea", "The snippet was hard to find");
  await visitor.click(".survey .yes:has-text('Send')");
  await visitor.click(".numbers .score[data-score='9']");
  await visitor.click(".survey .yes");
  await visitor.waitForSelector(".over:has-text('Thank you for your feedback')");

  await desk.waitForSelector("a.library.reviews .count");
  await desk.waitForSelector(".conversation-list .stars.low");
  await desk.click("a.library.reviews");
  const one = desk.locator(".review");
  await one.waitFor();
  await one.locator("blockquote:has-text('The snippet was hard to find')").waitFor();
  await one.locator("p:has-text('Rated low'):has-text('9 of 10')").waitFor();
  await shoot(desk, "console-1-queue");
  await accessible(desk, "the queue");
  await one.locator("summary").click();
  for (const word of ["Understandable", "Partly right", "Kind"]) await one.locator(`label:has-text("${word}")`).last().click();
  await one.locator("textarea").fill("Put the snippet first.");
  await shoot(desk, "console-2-rubric");
  await accessible(desk, "the rubric");
  await one.locator("button.keep").click();
  await one.locator("p:has-text('Clarity: understandable, Correctness: partly right, Empathy: kind')").waitFor();
  await one.locator("button.done").click();
  await desk.waitForSelector(".empty:has-text('Nothing waits')");
  await desk.click(".switch button:has-text('Done')");
  await desk.locator(".review a").first().click();
  await desk.waitForSelector(".opinions .stars.low");
  assert.match(await desk.innerText(".opinions"), /The snippet was hard to find[\s\S]*9 of 10[\s\S]*Clarity: understandable/);
  await shoot(desk, "console-3-conversation");
  await accessible(desk, "a conversation with opinions");

  await visitor.click(".over .again");
  await ask(visitor, "Is there a default password?");
  await visitor.waitForSelector(".solved");
  assert.ok(await visitor.isVisible(".ender"));
  await visitor.click(".ender");
  await visitor.waitForSelector(".over .again:visible");
  assert.ok(await visitor.isHidden(".survey"), "the same case is rated once");
  await visitor.click(".over .new");
  await visitor.waitForSelector(".composer textarea:visible");
  assert.deepEqual(errors, []);
  assert.deepEqual(deskErrors, []);
  await context.close();
});
