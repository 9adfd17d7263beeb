// The event stream's reader, cut at every byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Events } from "../widget/stream.js";

const CASES = {
  "frames": ["data: {\"a\":1}\n\ndata: 2\n\n", ["{\"a\":1}", "2"]],
  "ids and unknown fields": ["id: 7\nevent: x\nretry: 3\ndata: one\n\n", ["one"]],
  "comments": [": alive\n\ndata: one\n\n:\n\n", ["", "one", ""]],
  "no space after the colon": ["data:one\n\ndata:  two\n\n", ["one", " two"]],
  "all line ends": ["data: one\r\n\r\ndata: two\r\rdata: three\n\n", ["one", "two", "three"]],
  "more than one line": ["data: one\ndata: two\n\n", ["one\ntwo"]],
  "letters of several bytes": ["data: é – 🙂 日本\n\n", ["é – 🙂 日本"]],
  "an event without an end": ["data: one\n\ndata: two\n", ["one"]],
  "nothing": ["\n\n\n", []],
};

/** @param {Uint8Array[]} parts */
function read(parts) {
  /** @type {string[]} */
  const heard = [];
  const events = new Events((data) => heard.push(data));
  for (const part of parts) events.push(part);
  return heard;
}

for (const [name, [text, expected]] of Object.entries(CASES)) {
  test(`the event stream: ${name}`, () => {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(read([bytes]), expected);
    assert.deepEqual(read([...bytes].map((byte) => Uint8Array.of(byte))), expected, "byte by byte");
    for (let at = 0; at <= bytes.length; at += 1) {
      assert.deepEqual(read([bytes.slice(0, at), bytes.slice(at)]), expected, `cut at ${at}`);
    }
  });
}
