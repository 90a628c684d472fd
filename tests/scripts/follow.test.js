import assert from "node:assert/strict";
import { test } from "node:test";
import { Follow } from "../../conversations/static/conversations/transcript/follow.js";

// A window of 400 pixels over a page of 1000.
Object.assign(globalThis, {
  innerHeight: 400,
  scrollY: 0,
  addEventListener: () => undefined,
  document: { scrollingElement: { scrollHeight: 1000, style: {} } },
  scrollTo({ top }) {
    globalThis.scrollY = Math.min(top, 600);
  },
  ResizeObserver: class {
    observe() {}
  },
});

test("an empty conversation begins where one writes, and its first message is followed", () => {
  const log = { childElementCount: 0 };
  const follow = new Follow({ addEventListener: () => undefined }, log);
  follow.settle();
  assert.equal(globalThis.scrollY, 0);
  log.childElementCount = 1;
  follow.settle();
  assert.equal(globalThis.scrollY, 600);
});
