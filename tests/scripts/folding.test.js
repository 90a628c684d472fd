import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { linesOf } from "../../conversations/static/conversations/lib/folding.js";

test("lines are counted as a reader counts them", () => {
  for (const [text, lines] of [
    ["", 1],
    ["one", 1],
    ["one\n", 1],
    ["one\ntwo", 2],
    ["one\n\n", 2],
    ["\n", 1],
    ["\n\n\nfour", 4],
  ])
    assert.equal(linesOf(text), lines, JSON.stringify(text));
});
