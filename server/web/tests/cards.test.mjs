// Cards beside messages: what they send, what they say, and that a keyboard is enough for all of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, browse, scripted, start } from "./porchlight.mjs";

/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;

const CONVERSATION = "c".repeat(32);
const REQUEST = "d".repeat(32);
const CODE = { kind: "code", to: "a•••@demo.example" };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const ROWS = [{ label: "Order", value: "12345" }, { label: "New address", value: `${"very-long-".repeat(12)}address@demo.example` },
  { label: "العنوان", value: "شارع الملك فهد، الرياض" }];
/** One card of each kind. */
const CARDS = [{ kind: "choices", options: ["Done", "I'm stuck", "نعم من فضلك"] }, { kind: "confirm", request: REQUEST, title: "Change the billing e-mail", rows: ROWS },
  CODE, { kind: "result", title: "Order 12345", rows: ROWS }, { kind: "upload", what: "a screenshot of the page" }];

before(async () => {
  [house, browser] = await Promise.all([start(), browse()]);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** An open widget, and the way to say something with a card in it. @param {import("playwright-core").BrowserContextOptions} [options] */
async function widget(options = {}) {
  const made = await scripted(browser, house.base, options);
  let seq = 0;
  const say = (/** @type {object | null} */ card, /** @type {object} */ more = {}) => {
    seq += 1;
    made.send({ type: "message", conversation: CONVERSATION, seq, from: "bot", at: 0, text: `Message ${seq}.`, pieces: [], citations: [],
      draft_id: null, client_msg_id: null, author: null, card, ...more });
    return made.page.waitForSelector(`.msg[data-seq='${seq}']`);
  };
  const focused = () => made.page.evaluate(() => {
    const at = document.querySelector("porchlight-widget")?.shadowRoot?.activeElement;
    return at?.getAttribute("aria-label") ?? at?.textContent ?? "";
  });
  return { ...made, say, focused, key: (/** @type {string} */ name) => made.page.keyboard.press(name) };
}

test("quick replies are pressed with the keyboard, once, and only the newest message's", async () => {
  const { page, context, errors, say, sent, focused, key } = await widget();
  await say({ kind: "choices", options: ["Old one"] });
  await say({ kind: "choices", options: ["Done", "I'm stuck"] });
  assert.deepEqual(await page.locator(".choice").allInnerTexts(), ["Done", "I'm stuck"]);
  await key("Shift+Tab");
  assert.equal(await focused(), "I'm stuck");
  await key("Shift+Tab");
  await key("Enter");
  assert.equal((await sent("send"))[0].text, "Done");
  assert.equal(await page.locator(".choice").count(), 0);
  assert.equal(await focused(), "Your message");
  await say({ kind: "choices", options: ["Next"] });
  await say(null, { from: "system", text: "Ada joined." });
  assert.equal(await page.locator(".choice").count(), 1, "a line of the system takes nothing away");
  await say(null, { from: "owner", author: "Ada" });
  assert.equal(await page.locator(".choice").count(), 0);
  assert.deepEqual(errors, []);
  await context.close();
});

for (const [name, keys, yes, words] of /** @type {const} */ ([["Confirm", ["Shift+Tab", "Shift+Tab"], true, "✓ Confirmed"], ["Cancel", ["Shift+Tab"], false, "Cancelled"]])) {
  test(`a confirmation shows all values, and "${name}" is pressed once`, async () => {
    const { page, context, errors, say, sent, focused, key } = await widget();
    await say(CARDS[1]);
    assert.match(await page.innerText(".card.confirm dl"), /12345[\s\S]*address@demo\.example/);
    for (const one of keys) await key(one);
    assert.equal(await focused(), name);
    await key("Enter");
    assert.deepEqual(await sent("confirm"), [{ type: "confirm", request: REQUEST, yes }]);
    assert.equal(await page.innerText(".card.confirm [role=status]"), words);
    assert.equal(await page.locator(".card.confirm button").count(), 0);
    assert.equal(await focused(), "Your message");
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("a code is typed, pasted or written into the message, and is kept nowhere", async () => {
  const { page, context, errors, say, sent, focused, key } = await widget();
  await say(CODE);
  const field = page.locator(".card.code input");
  assert.equal(await field.getAttribute("autocomplete"), "one-time-code");
  assert.equal(await field.getAttribute("inputmode"), "numeric");
  assert.match(await page.innerText(".card.code label"), /Code sent to a•••@demo\.example/);
  await key("Shift+Tab");
  await key("Shift+Tab");
  await page.keyboard.type("1234");
  await key("Enter");
  await page.waitForSelector(".card.code .said:has-text('six digits')");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.equal((await sent("code", 0)).length, 0);
  await key("Control+A");
  await page.keyboard.insertText("１２３ ４５６");
  await key("Enter");
  assert.deepEqual(await sent("code"), [{ type: "code", code: "123456" }]);
  await say(CODE, { text: "This code is not the right one. Two tries are left." });
  assert.equal(await page.locator(".card.code input").count(), 1);
  await page.waitForFunction(() => document.querySelector("porchlight-widget")?.shadowRoot?.activeElement?.tagName === "INPUT");
  await page.focus(".panel textarea");
  await page.keyboard.type("31 41 59");
  await key("Enter");
  assert.deepEqual((await sent("code", 2)).map((one) => one.code), ["123456", "314159"]);
  assert.equal((await sent("send", 0)).length, 0);
  assert.equal(await page.inputValue(".panel textarea"), "");
  await say(CARDS[3]);
  assert.equal(await focused(), "Your message");
  assert.equal(await page.locator(".card.code input").count(), 0);
  const kept = await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]));
  assert.doesNotMatch(kept, /123456|314159|31 41 59/);
  assert.deepEqual(errors, []);
  await context.close();
});

test("a file is sent with its progress, cancelled, refused in words and tried again", async () => {
  const { page, context, say, key, focused } = await widget();
  /** @type {{ headers: Record<string, string>, name: string | null, size: number }[]} */
  const posts = [];
  /** @type {((route: import("playwright-core").Route) => Promise<void>)[]} */
  const answers = [
    async () => {}, // hangs until it is cancelled
    (route) => route.fulfill({ status: 415, json: { error: { code: "file_kind", message: "Only images, PDF and text files can be sent." } } }),
    (route) => route.abort(),
    (route) => route.fulfill({ status: 413, body: "length limit exceeded" }),
    (route) => route.fulfill({ json: { seq: 2 } }),
  ];
  await page.route(/\/widget\/upload/, async (route) => {
    const request = route.request();
    posts.push({ headers: request.headers(), name: new URL(request.url()).searchParams.get("name"), size: request.postDataBuffer()?.length ?? 0 });
    await answers.shift()?.(route);
  });
  await say(CARDS[4]);
  await key("Shift+Tab");
  assert.equal(await focused(), "Choose a file");
  /** @type {import("playwright-core").FileChooser | undefined} */
  let chooser;
  for (let tries = 0; !chooser && tries < 4; tries++) {
    // A page that has just come may not take the key as the visitor's own yet.
    const opened = page.waitForEvent("filechooser", { timeout: 5_000 }).catch(() => undefined);
    await key("Enter");
    chooser = await opened;
  }
  assert.ok(chooser, "the key opens the choice of files");
  await chooser.setFiles({ name: "a & b.png", mimeType: "image/png", buffer: Buffer.alloc(3_000, 1) });
  await page.waitForSelector(".files progress[aria-label='Sending a & b.png']");
  await page.click(".files button:has-text('Cancel')");
  await page.waitForSelector(".files [role=status]:has-text('Cancelled.')");
  for (const words of ["Only images, PDF and text files", "did not get through", "10 MB is the most"]) {
    await page.click(".files button:has-text('Try again')");
    await page.waitForSelector(`.files [role=status]:has-text('${words}')`);
  }
  await page.click(".files button:has-text('Try again')");
  await page.waitForSelector(".files li", { state: "detached" });
  assert.deepEqual(posts.map((one) => [one.name, one.size]), Array(5).fill(["a & b.png", 3_000]));
  assert.equal(posts[0].headers["x-porchlight-conversation"], CONVERSATION);
  assert.equal(posts[0].headers["x-porchlight-token"], "a".repeat(64));
  await page.setInputFiles(".card.upload input", { name: "huge.png", mimeType: "image/png", buffer: Buffer.alloc(10 * 1024 * 1024 + 1) });
  await page.waitForSelector(".files [role=status]:has-text('too big')");
  assert.equal(posts.length, 5, "what is too big is not sent");
  await say({ kind: "file", id: "f".repeat(32), name: "a & b.png", bytes: 3_000, media: "image/png" }, { from: "visitor", text: "a & b.png" });
  assert.match(await page.innerText(".msg.visitor .card.file"), /a & b\.png\s*3 kB/);
  assert.equal(await page.locator(".card.upload > button").count(), 0);
  await context.close();
});

test("a file is dropped where one is asked for, and nowhere else opens in place of the page", async () => {
  const { page, context, say } = await widget();
  /** @type {string[]} */
  const names = [];
  await page.route(/\/widget\/upload/, (route) => {
    names.push(new URL(route.request().url()).searchParams.get("name") ?? "");
    return route.fulfill({ json: { seq: 2 } });
  });
  const drop = () => page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["text"], "console.log", { type: "text/plain" }));
    const panel = document.querySelector("porchlight-widget")?.shadowRoot?.querySelector(".log");
    return panel?.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  assert.equal(await drop(), false);
  await page.waitForSelector(".trouble:has-text('No file is asked for')");
  await say(CARDS[4]);
  const asked = page.waitForResponse(/\/widget\/upload/);
  assert.equal(await drop(), false);
  await asked;
  assert.deepEqual(names, ["console.log"]);
  await context.close();
});

for (const [name, options] of /** @type {const} */ ([["desktop", {}], ["phone", PHONE], ["dark", { colorScheme: "dark" }], ["dark phone", { ...PHONE, colorScheme: "dark" }]])) {
  test(`all cards are accessible and fit (${name})`, async () => {
    const { page, context, errors, say } = await widget({ ...options, bypassCSP: true });
    for (const card of CARDS) {
      await say(card);
      await accessible(page, card.kind);
      const wide = await page.evaluate(() => {
        const log = document.querySelector("porchlight-widget")?.shadowRoot?.querySelector(".log");
        return log ? log.scrollWidth - log.clientWidth : -1;
      });
      assert.equal(wide, 0, `${card.kind} does not fit`);
    }
    const arabic = page.locator("dd", { hasText: "الرياض" }).first();
    assert.equal(await arabic.evaluate((node) => getComputedStyle(node).direction), "rtl");
    assert.deepEqual(errors, []);
    await context.close();
  });
}
