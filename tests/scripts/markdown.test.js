import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { blocks, labelsWithout } from "../../conversations/static/conversations/text/markdown.js";

const startsOf = (source, longest = 8000) => blocks(source, longest).starts.map(({ at }) => at);

test("a block begins where the one before it will not change any more", () => {
  assert.deepEqual(startsOf("One.\n\nTwo.\n"), [6]);
  assert.deepEqual(startsOf("# Head\ntext\n"), [7]);
});

test("a line that has not ended begins nothing", () => {
  assert.deepEqual(startsOf("One.\n\nTwo."), []);
});

test("a blank line inside a fence splits nothing", () => {
  const source = "```py\na\n\nb\n";
  assert.deepEqual(startsOf(source), []);
  const { kind, markup } = blocks(source, 8000);
  assert.deepEqual([kind, markup], ["fence", "```"]);
  assert.deepEqual(startsOf(`${source}\`\`\`\nafter\n`), [source.length + 4]);
});

test("a formula that is open may still be a paragraph's", () => {
  assert.deepEqual(startsOf("One.\n\n$$\nx\n"), []);
  assert.deepEqual(startsOf("One.\n\n$$\nx\n$$\n"), [6]);
});

test("a list longer than the limit goes on in a new one, a shorter one does not", () => {
  const list = "- item\n".repeat(10);
  assert.deepEqual(startsOf(list), []);
  assert.deepEqual(blocks(list, 20).starts, [{ at: 21, isItem: true }]);
});

test("offsets count the source's own line ends", () => {
  assert.deepEqual(startsOf("One.\r\n\r\nTwo.\r\n"), [8]);
});

test("the parts before and behind a beginning are the whole source", () => {
  const source = "a\n\n> b\n\n1. c\n2. d\n\n| x |\n|---|\n| y |\n\nz\n";
  const starts = startsOf(source);
  assert.ok(starts.length >= 4);
  assert.equal([0, ...starts].map((at, index) => source.slice(at, starts[index])).join(""), source);
});

test("labels without a target are those that the source names and does not define", () => {
  assert.deepEqual(labelsWithout("[one][A] and [b]", { A: {} }), ["ONE", "B"]);
});
