import assert from "node:assert/strict";
import { test } from "node:test";
import { keepGrowing } from "../../conversations/static/conversations/lib/growing.js";

// A box whose text is 24 pixels a line, with a border of one pixel.
function box(text) {
  const listeners = [];
  return {
    value: text,
    style: { height: "" },
    addEventListener: (_, listener) => listeners.push(listener),
    write(value) {
      this.value = value;
      for (const listener of listeners) listener();
    },
    get clientHeight() {
      return this.style.height === "auto" ? 24 : Number.parseInt(this.style.height, 10) - 2;
    },
    get offsetHeight() {
      return this.clientHeight + 2;
    },
    get scrollHeight() {
      return Math.max(this.clientHeight, 24 * Math.ceil(this.value.length / 10));
    },
  };
}

test("a box grows with a text without line ends, and becomes smaller again", () => {
  globalThis.CSS = { supports: () => false };
  const textarea = box("x".repeat(35));
  keepGrowing(textarea);
  assert.equal(textarea.style.height, "98px");
  textarea.write("x".repeat(95));
  assert.equal(textarea.style.height, "242px");
  textarea.write("x");
  assert.equal(textarea.style.height, "26px");
});

test("where the browser does so itself, its height is left alone", () => {
  globalThis.CSS = { supports: () => true };
  const textarea = box("x".repeat(35));
  keepGrowing(textarea);
  assert.equal(textarea.style.height, "");
});
