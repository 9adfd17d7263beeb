// Every message that is typed is stored once and shown once and in order, whatever the network does: a few hundred seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

const SEEDS = Number(process.env.SEEDS ?? 300);
const FIRST = Number(process.env.SEED ?? 1);
const WAYS = [
  { ws: "open", stream: "open", poll: "open" },
  { ws: "refused", stream: "open", poll: "open" },
  { ws: "silent", stream: "open", poll: "open" },
  { ws: "refused", stream: "silent", poll: "open" },
];

/** What happens in a while; each is as likely as it stands here often. */
const HAPPENS = {
  type: 14, cut: 4, half: 1, kill: 1, reload: 2, close: 1, open: 2, answer: 5, hide: 2, offline: 1, turnBack: 1,
};

/** @param {World} world @param {number} seed */
async function live(world, seed) {
  const { server } = world;
  const typed = [];
  /** texts that were stored, and may be gone since an older copy came back */
  const lost = new Set();
  let older = false;
  Object.assign(server, { ways: { ...WAYS[seed % WAYS.length] }, repeats: true, skips: true, busy: seed % 3 === 0 });
  const deck = Object.entries(HAPPENS).flatMap(([name, often]) => Array(often).fill(name));
  const open = () => world.tabs.filter((tab) => !tab.dead);
  const any = () => open()[world.pick(open().length)];
  world.newTab("1");
  const acts = {
    type: () => { typed.push(`text ${typed.length}`); assert.ok(any().type(typed.at(-1))); },
    cut: () => { for (const line of [...server.lines]) if (world.pick(2)) line.end(); },
    half: () => { for (const line of server.lines) if (world.pick(2)) line.mute = true; },
    kill: () => { server.kill(); world.after(500 + world.pick(9_000), null, () => { server.down = false; }); },
    reload: () => { any().kill(); world.newTab(`${world.tabs.length + 1}`); },
    close: () => { if (open().length > 1) any().kill(); },
    open: () => { if (open().length < 3) world.newTab(`${world.tabs.length + 1}`); },
    answer: () => { for (const one of server.conversations.values()) server.append(one, { from: "bot", text: "answer" }); },
    hide: () => { const tab = any(); tab.look(!tab.visible); },
    offline: () => {
      world.online = false;
      server.kill();
      for (const tab of open()) tab.fire("offline");
      world.after(3_000 + world.pick(9_000), null, () => {
        world.online = true;
        server.down = false;
        for (const tab of open()) tab.fire("online");
      });
    },
    turnBack: () => {
      if (server.down || seed % 5) return;
      older = true;
      for (const one of server.turnBack(world.pick(4))) lost.add(one.text);
    },
  };
  for (let step = 0; step < 40; step += 1) {
    acts[deck[world.pick(deck.length)]]();
    await world.run(world.pick(world.pick(3) ? 300 : 6_000));
  }
  // Everything is well again, and a page is opened for what closed tabs have left.
  Object.assign(server, { down: false, repeats: false, skips: false, busy: false });
  world.online = true;
  for (const line of [...server.lines]) if (!line.mute) line.end();
  for (const tab of open()) { tab.look(true); tab.fire("online"); }
  world.newTab("last");
  await world.run(120_000);
  return { typed, lost, older, tabs: open() };
}

test(`${SEEDS} seeds: nothing lost, nothing doubled, nothing out of order`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const world = new World(seed).install();
    try {
      const { typed, lost, older, tabs } = await live(world, seed);
      const stored = [...world.server.conversations.values()].flatMap((one) => one.messages);
      for (const text of typed) {
        const times = stored.filter((one) => one.text === text).length;
        assert.ok(times === 1 || (lost.has(text) && times === 0), `"${text}" is stored ${times} times`);
      }
      assert.ok(world.server.conversations.size <= 1, "the tabs have one conversation");
      for (const tab of tabs) {
        assert.deepEqual(tab.problems, [], `tab ${tab.name}`);
        assert.equal(tab.status, "online", `tab ${tab.name}`);
        assert.ok(older || !tab.restored, `tab ${tab.name} speaks of a restored history without reason`);
        assert.deepEqual(tab.shown.map((one) => one.text), stored.map((one) => one.text), `tab ${tab.name} shows what is stored`);
        assert.deepEqual([...tab.waiting.values()], [], `tab ${tab.name} waits for nothing`);
      }
      assert.deepEqual(Object.keys(world.storage).filter((key) => key.includes("unsent")), []);
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`;
      throw error;
    } finally {
      world.restore();
    }
  }
});
