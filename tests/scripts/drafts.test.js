import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Draft } from "../../conversations/static/conversations/composer/drafts.js";
import { Outbox } from "../../conversations/static/conversations/composer/outbox.js";
import { fire, stopClock, storage } from "./browser.js";

let tick;
let frames;
let isOnline;
let changes;

beforeEach(() => {
  storage.clear();
  tick = stopClock();
  frames = [];
  isOnline = true;
  changes = 0;
});

function open(stored = "") {
  const send = (frame) => {
    if (isOnline) frames.push(frame.text);
    return isOnline;
  };
  return new Draft("c", stored, { send, changed: () => (changes += 1) });
}

const saved = () => JSON.parse(storage.get("draft:c") ?? "null");

test("what is written is in the tab at once and on the server after a pause", () => {
  const draft = open();
  draft.write("Hel");
  tick(300);
  draft.write("Hello");
  assert.equal(saved().text, "Hello");
  tick(499);
  assert.deepEqual(frames, []);
  tick(1);
  assert.deepEqual(frames, ["Hello"]);
});

test("a reload brings back what the server may not have", () => {
  open().write("Hello");
  assert.equal(open().text, "Hello");
});

test("once the server has it the tab forgets it", () => {
  const draft = open();
  draft.write("Hello");
  tick(500);
  assert.equal(saved().text, "Hello");
  draft.receive("Hello");
  assert.equal(saved(), null);
});

test("a text from elsewhere takes the place of one that the server had", () => {
  const draft = open("old");
  draft.receive("new");
  assert.deepEqual([draft.text, draft.other, changes], ["new", null, 1]);
});

test("two texts that differ are both kept until one is chosen", () => {
  isOnline = false;
  const draft = open("old");
  draft.write("mine");
  tick(5000);
  draft.receive("theirs");
  assert.deepEqual([draft.text, draft.other], ["mine", "theirs"]);
  draft.swap();
  assert.deepEqual([draft.text, draft.other], ["theirs", "mine"]);
  isOnline = true;
  draft.choose();
  assert.deepEqual([draft.text, draft.other], ["theirs", null]);
  draft.swap();
  assert.deepEqual([draft.text, draft.other], ["theirs", null]);
});

test("while somebody writes a text from elsewhere does not interfere", () => {
  const draft = open("old");
  draft.write("mine");
  draft.receive("theirs");
  assert.deepEqual([draft.text, draft.other, changes], ["mine", null, 0]);
  tick(500);
  assert.deepEqual(frames, ["mine"]);
});

test("what was on its way when the connection went is sent again", () => {
  const draft = open();
  draft.write("Hello");
  tick(500);
  draft.lost();
  draft.opened();
  tick(1000);
  assert.deepEqual(frames, ["Hello", "Hello"]);
});

test("leaving the page sends what is written", () => {
  open().write("Hello");
  fire("pagehide");
  assert.ok(frames.includes("Hello"));
});

test("the outbox keeps messages over a reload until the server has them", () => {
  const outbox = new Outbox("c");
  const first = outbox.add("one");
  const second = outbox.add("two");
  assert.deepEqual(new Outbox("c").messages, [first, second]);
  outbox.settle({ messages: [{ id: first.id }], queue: [] });
  assert.deepEqual(new Outbox("c").messages, [second]);
  assert.equal(outbox.take(second.id), second);
  assert.equal(outbox.take(second.id), undefined);
  assert.equal(storage.has("outbox:c"), false);
});
