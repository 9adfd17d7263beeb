// What the widget's link promises, one case each: the outbox, the heartbeat, the waits, the ways to the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

/**
 * @param {string} name
 * @param {(world: World) => Promise<void>} act
 */
function check(name, act) {
  test(name, async () => {
    const world = new World(7).install();
    try {
      await act(world);
    } finally {
      world.restore();
    }
  });
}

/** @param {World} world */
const stored = (world) => [...world.server.conversations.values()].map((one) => one.messages.map((message) => message.text));
/** @param {World} world */
const kept = (world) => Object.keys(world.storage).filter((key) => key.startsWith("porchlight.unsent."));
/** @param {World} world @param {number} since */
const heard = (world, since) => world.server.heard.filter((frame) => frame.at >= since);
/** Lines die without a word. @param {World} world */
const mute = (world) => { for (const line of world.server.lines) line.mute = true; };
/** When each try to connect was made. @param {World} world @param {number} ms @param {string} way */
async function tries(world, ms, way) {
  const at = [];
  const end = world.now + ms;
  for (let before = world.server.asked[way]; world.now < end; before = world.server.asked[way]) {
    await world.run(10);
    if (world.server.asked[way] > before) at.push(world.now);
  }
  return at;
}

check("a message is kept before it is sent and let go when it is stored", async (world) => {
  world.server.down = true;
  const tab = world.newTab("1");
  tab.type("one");
  assert.equal(kept(world).length, 1);
  await world.run(1_000);
  tab.kill();
  world.server.down = false;
  const again = world.newTab("2");
  assert.deepEqual([...again.waiting.values()], ["one"], "shown at once");
  await world.run(1_000);
  assert.deepEqual(stored(world), [["one"]]);
  assert.deepEqual(kept(world), []);
});

check("the end of a chat waits for what was written before it, and who writes on does not end it", async (world) => {
  const tab = world.newTab("1");
  tab.type("one");
  await world.run(2_000);
  world.server.down = true;
  mute(world);
  tab.type("two");
  world.as(tab, () => tab.link.resolve());
  await world.run(1_000);
  world.server.down = false;
  const since = world.now;
  await world.run(60_000);
  assert.deepEqual(stored(world), [["one", "two"]]);
  const order = heard(world, since).map((frame) => frame.type).filter((type) => type === "send" || type === "resolve");
  assert.deepEqual(order.slice(0, 2), ["send", "resolve"]);
  assert.ok(order.slice(1).every((type) => type === "resolve"), String(order));
  const later = world.now;
  world.as(tab, () => tab.link.resolve());
  tab.type("three");
  await world.run(5_000);
  assert.equal(tab.link.ending, false);
  assert.deepEqual(stored(world), [["one", "two", "three"]]);
  assert.equal(heard(world, later).filter((frame) => frame.type === "resolve").length, 1);
});

check("where storage is switched off, a message lasts as long as the page", async (world) => {
  world.storage.broken = true;
  world.server.down = true;
  const tab = world.newTab("1");
  tab.type("one");
  await world.run(5_000);
  world.server.down = false;
  await world.run(30_000);
  assert.deepEqual(stored(world), [["one"]]);
  assert.equal(tab.status, "online");
});

check("a hundred messages may wait, and they keep their order", async (world) => {
  world.server.down = true;
  const tab = world.newTab("1");
  const texts = Array.from({ length: 100 }, (_, n) => `text ${n}`);
  for (const text of texts) assert.ok(tab.type(text));
  assert.equal(tab.type("one more"), null);
  tab.kill();
  world.newTab("2");
  world.server.down = false;
  await world.run(60_000);
  assert.deepEqual(stored(world), [texts]);
});

check("hello names the epoch, the newest seq and what waits; a known id is not sent again", async (world) => {
  const tab = world.newTab("1");
  await world.run(500);
  const id = tab.type("one");
  await world.run(30);
  while (!stored(world).length) await world.run(1);
  mute(world); // neither the ack nor the message arrives
  await world.run(20_000);
  const hello = world.server.heard.filter((frame) => frame.type === "hello").at(-1);
  assert.deepEqual([hello.outbox, hello.last_seq, hello.epoch.length], [[id], 0, 32]);
  assert.deepEqual(tab.shown.map((one) => one.text), ["one"]);
  assert.equal(world.server.heard.filter((frame) => frame.type === "send").length, 1);
});

check("a history from a copy replaces what is shown, and is told", async (world) => {
  const tab = world.newTab("1");
  for (const text of ["one", "two", "three"]) tab.type(text);
  await world.run(2_000);
  world.server.turnBack(1);
  await world.run(5_000);
  assert.deepEqual(tab.events.filter((event) => event.type === "reset").map((event) => event.restored), [true]);
  assert.deepEqual(tab.shown.map((one) => one.text), ["one", "two"]);
});

check("what was written in a closed conversation waits for the visitor's wish in the next", async (world) => {
  const tab = world.newTab("1");
  const frozen = world.newTab("2");
  tab.type("one");
  await world.run(2_000);
  mute(world);
  const id = tab.type("two");
  world.as(tab, () => tab.link.startNew());
  await world.run(10_000);
  assert.deepEqual(stored(world), [["one"]]);
  assert.ok(tab.failed.has(id));
  const text = world.as(tab, () => tab.link.takeBack(id));
  tab.type(text);
  await world.run(60_000);
  assert.deepEqual(stored(world), [["one"], ["two"]]);
  assert.deepEqual(frozen.shown.map((one) => one.text), ["two"], "the other tab has come along");
  assert.deepEqual(kept(world), []);
});

check("nothing that waits is sent into the conversation that the visitor leaves", async (world) => {
  const tab = world.newTab("1");
  tab.type("one");
  await world.run(2_000);
  for (const text of ["on its way", "behind it"]) tab.type(text);
  const since = world.now;
  world.as(tab, () => tab.link.startNew());
  await world.run(10_000);
  assert.deepEqual(heard(world, since).filter((frame) => frame.type === "send").map((frame) => frame.text), ["on its way"]);
  assert.equal(tab.failed.size, 2);
});

check("a page that was frozen goes where the others have gone before it says hello", async (world) => {
  const frozen = world.newTab("1");
  frozen.type("one");
  await world.run(2_000);
  frozen.listeners.delete("storage");
  const tab = world.newTab("2");
  await world.run(1_000);
  world.as(tab, () => tab.link.startNew());
  await world.run(1_000);
  tab.type("two");
  await world.run(1_000);
  for (const line of [...world.server.lines]) line.end();
  await world.run(5_000);
  assert.deepEqual(frozen.shown.map((one) => one.text), ["two"]);
  tab.kill();
  assert.equal(JSON.parse(world.storage.getItem("porchlight")).conversation, tab.link.conversation);
});

check("a refused message is kept until the visitor takes it back, over a reload too", async (world) => {
  const tab = world.newTab("1");
  const id = tab.type("refuse me");
  await world.run(2_000);
  assert.ok(tab.failed.has(id));
  tab.kill();
  const again = world.newTab("2");
  await world.run(2_000);
  const [entry] = again.events.filter((event) => event.type === "unsent").map((event) => event.entry);
  assert.deepEqual([entry.text, entry.failed], ["refuse me", true]);
  assert.equal(world.as(again, () => again.link.takeBack(id)), "refuse me");
  assert.deepEqual(kept(world), []);
});

check("a silent connection shows within five seconds, and is made anew", async (world) => {
  const tab = world.newTab("1");
  await world.run(10_000);
  assert.equal(tab.status, "online");
  for (const delay of [0, 700, 1_400, 2_100]) {
    await world.run(delay);
    const since = world.now;
    mute(world);
    while (tab.status === "online") await world.run(50);
    assert.ok(world.now - since <= 5_050, `${world.now - since} ms`);
    while (tab.status !== "online") await world.run(50);
    assert.ok(world.now - since <= 20_000, `${world.now - since} ms until it was back`);
  }
});

check("a slow server is doubted, not left", async (world) => {
  const tab = world.newTab("1");
  await world.run(3_000);
  const [line] = world.server.lines;
  line.busyUntil = world.now + 9_000; // it reads nothing for a while
  await world.run(6_000);
  assert.equal(tab.status, "offline");
  await world.run(4_000);
  assert.equal(tab.status, "online");
  assert.equal(world.server.asked.ws, 1);
});

check("a server that takes long to greet after a restart is not asked another way", async (world) => {
  const tab = world.newTab("1");
  await world.run(10_000);
  world.server.kill();
  world.server.down = false;
  world.server.ways.ws = "silent";
  await world.run(11_000);
  assert.deepEqual(world.server.asked, { ws: 2, stream: 0, poll: 0 });
  world.server.ways.ws = "open";
  await world.run(10_000);
  assert.deepEqual([tab.status, tab.link.line.way], ["online", 0]);
});

check("pings are rare while nobody looks", async (world) => {
  const tab = world.newTab("1");
  await world.run(1_000);
  const count = async (ms) => {
    const since = world.now;
    await world.run(ms);
    return heard(world, since).filter((frame) => frame.type === "ping").length;
  };
  assert.ok((await count(60_000)) >= 22);
  tab.look(false);
  await count(5_000);
  assert.ok((await count(60_000)) <= 3);
  const since = world.now;
  tab.look(true);
  await world.run(60);
  assert.equal(heard(world, since).filter((frame) => frame.type === "ping").length, 1, "asked at once when somebody looks again");
});

check("waits are drawn from twice as much each time, up to 20 s, and never end", async (world) => {
  const tab = world.newTab("1");
  await world.run(10_000);
  world.server.kill();
  const at = await tries(world, 600_000, "ws");
  const waits = at.slice(1).map((time, n) => time - at[n]);
  assert.ok(waits.length > 40, `${waits.length} tries in ten minutes`);
  waits.forEach((wait, n) => assert.ok(wait <= Math.min(20_000, 500 * 2 ** (n + 2)) + 200, `wait ${n}: ${wait}`));
  assert.ok(Math.max(...waits) > 10_000);
  world.server.down = false;
  await world.run(25_000);
  assert.equal(tab.status, "online");
  for (const line of [...world.server.lines]) line.end();
  const [first] = await tries(world, 700, "ws");
  assert.ok(first, "after a steady connection the waits are short again");
});

for (const [name, back] of Object.entries({
  "the network is back": (tab) => tab.fire("online"),
  "somebody looks": (tab) => { tab.look(false); tab.look(true); },
  "the page comes out of the cache": (tab) => tab.fire("pageshow", { persisted: true }),
})) {
  check(`it connects at once when ${name}`, async (world) => {
    const tab = world.newTab("1");
    await world.run(10_000);
    world.server.kill();
    await world.run(120_000);
    world.server.down = false;
    while (!tab.link.line.timers.has("retry")) await world.run(1);
    world.as(tab, () => tab.link.line.later("retry", 60_000, () => {}));
    back(tab);
    await world.run(500);
    assert.equal(tab.status, "online");
  });
}

check("a server that goes is left alone as long as it asks, whoever looks", async (world) => {
  const tab = world.newTab("1");
  await world.run(1_000);
  for (const line of world.server.lines) line.out({ type: "going_away", retry_after_ms: 8_000 });
  await world.run(100);
  tab.type("one");
  world.server.kill();
  world.server.down = false;
  await world.run(200);
  tab.fire("online");
  assert.deepEqual(await tries(world, 7_000, "ws"), []);
  await world.run(3_000);
  assert.deepEqual(stored(world), [["one"]]);
});

for (const [name, ways, way, asked] of /** @type {const} */ ([
  ["refused", { ws: "refused", stream: "open", poll: "open" }, 1, { ws: 1, stream: 1, poll: 0 }],
  ["swallowed", { ws: "silent", stream: "open", poll: "open" }, 1, { ws: 1, stream: 1, poll: 0 }],
  ["refused and the stream is buffered", { ws: "refused", stream: "silent", poll: "open" }, 2, { ws: 1, stream: 1 }],
])) {
  check(`where the WebSocket is ${name}, another way is found and kept`, async (world) => {
    world.server.ways = ways;
    const tab = world.newTab("1");
    tab.type("one");
    await world.run(8_000);
    assert.equal(tab.link.line.way, way);
    assert.deepEqual(tab.shown.map((one) => one.text), ["one"]);
    for (const [path, count] of Object.entries(asked)) assert.equal(world.server.asked[path], count, path);
    for (const line of [...world.server.lines]) line.end();
    tab.type("two");
    await world.run(3_000);
    assert.deepEqual(tab.shown.map((one) => one.text), ["one", "two"]);
    assert.equal(world.server.asked.ws, 1, "what worked is tried first");
    world.server.ways = { ws: "open", stream: "open", poll: "open" };
    await world.run(310_000);
    for (const line of [...world.server.lines]) line.end();
    await world.run(3_000);
    assert.equal(tab.link.line.way, 0, "after a while the WebSocket is tried again");
  });
}

check("a restart makes nobody leave the WebSocket; a wall that comes later does", async (world) => {
  const tab = world.newTab("1");
  await world.run(10_000);
  world.server.kill();
  await world.run(400);
  world.server.down = false;
  await world.run(5_000);
  assert.deepEqual([tab.status, tab.link.line.way], ["online", 0]);
  world.server.ways.ws = "refused";
  for (const line of [...world.server.lines]) line.end();
  await world.run(20_000);
  assert.deepEqual([tab.status, tab.link.line.way], ["online", 1]);
});

check("what has arrived and what was seen is told once for many", async (world) => {
  const tab = world.newTab("1");
  tab.type("one");
  await world.run(1_000);
  const since = world.now;
  const [conversation] = world.server.conversations.values();
  for (let n = 0; n < 50; n += 1) world.server.append(conversation, { from: "bot", text: `answer ${n}` });
  await world.run(2_000);
  const marks = heard(world, since).filter((frame) => ["read", "delivered"].includes(frame.type));
  assert.ok(marks.length <= 3, `${marks.length} frames`);
  assert.deepEqual([marks.at(-1).type, marks.at(-1).seq], ["read", 51]);
  assert.equal(tab.shown.length, 51);
});

for (const [name, way] of /** @type {const} */ ([["WebSocket", "ws"], ["event stream", "stream"], ["poll", "poll"]])) {
  check(`what a card sends goes out once by ${name}, waits while there is no connection, and is kept nowhere`, async (world) => {
    for (const other of ["ws", "stream", "poll"]) world.server.ways[other] = other === way ? "open" : "refused";
    const tab = world.newTab("1");
    tab.type("one");
    await world.run(8_000);
    const answer = (frame) => world.as(tab, () => tab.link.answer(frame));
    answer({ type: "confirm", request: "d".repeat(32), yes: true });
    await world.run(8_000);
    world.server.kill();
    await world.run(2_000);
    const before = JSON.stringify(world.storage);
    answer({ type: "code", code: "314159" });
    await world.run(20_000);
    assert.equal(JSON.stringify(world.storage), before);
    world.server.down = false;
    await world.run(60_000);
    assert.deepEqual(tab.shown.map((one) => one.text), ["one", "heard true", "heard 314159"]);
    for (const line of [...world.server.lines]) line.end();
    await world.run(60_000);
    assert.equal(world.server.heard.filter((frame) => frame.type === "code").length, 1, "an answered one is not sent again");
  });
}

check("what a card sent into a dead connection is sent again, unless the answer has come", async (world) => {
  const tab = world.newTab("1");
  tab.type("one");
  await world.run(3_000);
  mute(world);
  world.as(tab, () => tab.link.answer({ type: "code", code: "314159" }));
  await world.run(30_000);
  assert.deepEqual(tab.shown.map((one) => one.text), ["one", "heard 314159"]);
  world.as(tab, () => tab.link.answer({ type: "code", code: "271828" }));
  while (!stored(world)[0].includes("heard 271828")) await world.run(1);
  mute(world); // the server has evaluated it, and the page does not know
  await world.run(60_000);
  assert.deepEqual(tab.shown.map((one) => one.text), ["one", "heard 314159", "heard 271828"]);
  assert.equal(heard(world, 0).filter((frame) => frame.type === "code").length, 2);
});
