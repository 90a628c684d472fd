import assert from "node:assert/strict";
import { test } from "node:test";
import { beginning } from "../../conversations/static/conversations/lib/format.js";

test("a cut text ends between what a reader takes for characters", () => {
  for (const cluster of ["👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "❤\ufe0f", "\u{1F4A9}"]) {
    const text = `xx${cluster.repeat(3)}`;
    const ends = [0, 1, 2, 3].map((times) => 2 + times * cluster.length);
    for (let most = 2; most < text.length; most += 1)
      assert.equal(
        beginning(text, most),
        text.slice(
          0,
          ends.findLast((end) => end <= most),
        ),
      );
  }
});

test("a text that is short enough stays as it is", () => {
  assert.equal(beginning("🇩🇪", 4), "🇩🇪");
});
