// The night: who asks for a person gets a ticket, and the owner finds a follow-up in the morning. The program's clock is the test's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, ask, browse, clock, open, page, prompts, signUp, start } from "./porchlight.mjs";

const HOURS = `zone = "UTC"

[week]
${["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map((day) => `${day} = ["09:00-12:30", "13:30-17:00"]`).join("\n")}
`;

const time = clock();
const texts = prompts("hours.toml", HOURS);
/** @type {Awaited<ReturnType<typeof start>>} */
let house;
/** @type {import("playwright-core").Browser} */
let browser;

/** A time of today or a later day. @param {number} days @param {number} hour @param {number} minute */
function at(days, hour, minute) {
  const day = new Date();
  day.setUTCDate(day.getUTCDate() + days);
  return day.setUTCHours(hour, minute, 0, 0);
}

before(async () => {
  time.set(at(0, 22, 0));
  [house, browser] = await Promise.all([start({ ...texts.env, ...time.env }), browse()]);
});

after(async () => {
  await browser?.close();
  await house?.stop();
  time.remove();
  texts.remove();
});

test("a ticket of the night has its follow-up in the morning", async () => {
  const { page: owner, context: desk, errors } = await page(browser, { bypassCSP: true });
  await signUp(owner, house.setup);
  await owner.click("a.library.hours");
  await owner.waitForSelector(".standing:has-text('Closed'):has-text('Opens')");
  assert.match(await owner.innerText(".sheet table"), /Monday\s+09:00 to 12:30\s*13:30 to 17:00/);
  await accessible(owner, "hours at night");

  const { page: visitor, context } = await page(browser);
  await visitor.goto(`${house.base}/`);
  await open(visitor);
  await ask(visitor, "Can I talk to a person?");
  await visitor.locator(".msg.bot[data-seq]", { hasText: "09:00" }).waitFor();
  await owner.click("a.library.tickets");
  await ask(visitor, "camper@demo.example");
  await visitor.locator(".msg.bot[data-seq]", { hasText: "What is it about" }).waitFor();
  await ask(visitor, "The zipper of my tent is broken after two days.");
  await visitor.locator(".msg.bot[data-seq]", { hasText: "made a ticket" }).waitFor();
  const ticket = owner.locator(".ticket", { hasText: "camper@demo.example" });
  await ticket.waitFor();
  assert.match(await ticket.innerText(), /zipper[\s\S]*by the bot/);

  time.set(at(1, 9, 1));
  const line = owner.locator(".conversation-list a.waiting");
  await line.waitFor();
  assert.match(await line.innerText(), /Follow-up of the night/);
  await line.click();
  await owner.waitForSelector(".ongoing:has-text('Ticket')");
  await owner.click("button.take");
  await owner.waitForFunction(() => /Good morning/.test(/** @type {HTMLTextAreaElement | null} */ (document.querySelector(".composer textarea"))?.value ?? ""));
  await owner.press(".composer textarea", "Enter");
  await visitor.waitForSelector(".msg.owner:has-text('Good morning')");
  assert.deepEqual(errors, []);
  await Promise.all([desk.close(), context.close()]);
});
