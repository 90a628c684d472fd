import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { Branches } from "../../conversations/static/conversations/chat/branches.js";

const menu = { append: () => undefined, addEventListener: () => undefined };

test("a version that is in the log a frame before its buttons has the focus once they are there", () => {
  const frames = [];
  const sentences = [];
  const branches = new Branches(
    menu,
    [],
    {},
    { ask: (frame) => frames.push(frame) > 0, done: () => undefined },
  );
  branches.show({ id: "a", status: "completed", error: null, versions: ["a", "b"] }, 1, "next");
  assert.deepEqual(frames, [{ type: "branch", turn: "b" }]);
  let button = null;
  let focused = 0;
  const section = {
    querySelector: (selector) => (selector === ".which" ? { textContent: "2 of 2" } : button),
  };
  const log = { querySelector: (selector) => (selector.includes("turn:b") ? section : null) };
  const settle = () => branches.settle(log, (sentence) => sentences.push(sentence));
  settle();
  assert.deepEqual(sentences, []);
  button = { disabled: false, focus: () => (focused += 1) };
  settle();
  settle();
  assert.deepEqual([sentences, focused], [["Version 2 of 2."], 1]);
});
