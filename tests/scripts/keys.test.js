import assert from "node:assert/strict";
import { test } from "node:test";
import { isComposing, sends } from "../../conversations/static/conversations/lib/keys.js";

const enter = (more = {}) => ({ key: "Enter", keyCode: 13, ...more });

test("Enter sends, Shift+Enter breaks the line", () => {
  assert.equal(sends(enter(), false), true);
  assert.equal(sends(enter({ shiftKey: true }), false), false);
  assert.equal(sends({ key: "a", keyCode: 65, ctrlKey: true }, false), false);
});

test("on a touch screen Enter breaks the line", () => {
  assert.equal(sends(enter(), true), false);
});

test("Ctrl or Cmd+Enter sends everywhere", () => {
  for (const touch of [false, true])
    for (const key of ["ctrlKey", "metaKey"]) assert.equal(sends(enter({ [key]: true }), touch), true);
});

test("a key of an input method sends nothing, in Safari too, which has ended the composition before it", () => {
  for (const event of [enter({ isComposing: true }), enter({ isComposing: false, keyCode: 229 })]) {
    assert.equal(isComposing(event), true);
    for (const touch of [false, true])
      for (const more of [{}, { ctrlKey: true }, { metaKey: true }])
        assert.equal(sends({ ...event, ...more }, touch), false);
  }
});
