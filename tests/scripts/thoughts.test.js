import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import "./browser.js";
import { answerIn, partsOf } from "../../conversations/static/conversations/text/thoughts.js";

const drawn = (text, open) =>
  partsOf(text, open)
    .filter((part) => part.text || (part.isThought && part.open))
    .map((part) => `${part.isThought ? "thought" : "answer"}${part.open ? " open" : ""}: ${part.text}`);

const CASES = JSON.parse(readFileSync(new URL("thoughts.json", import.meta.url), "utf8"));

for (const [name, text, open, parts] of CASES)
  test(`a thought ${name}`, () => assert.deepEqual(drawn(text, open), parts));

test("a thought that is cut anywhere never shows a tag, nor an answer before its end", () => {
  for (const text of ["<thinking>Hm.</thinking>Yes.", "One.\n\n<think>Hm.</think>\n\nTwo."])
    for (let length = 0; length <= text.length; length += 1)
      for (const part of partsOf(text.slice(0, length), true)) {
        assert.ok(!/[<>]/.test(part.text), `${length}: ${part.text}`);
        assert.ok(part.isThought === /^H/.test(part.text) || !part.text);
      }
});

test("an answer is read without its thoughts", () => {
  assert.equal(answerIn("One.\n\n<think>Hm.</think>\n\nTwo.\n"), "One.\n\nTwo.\n");
  assert.equal(answerIn("<think>Hm.</think>"), "");
  assert.equal(answerIn("About <think>."), "About <think>.");
});
