import assert from "node:assert/strict";
import { test } from "node:test";
import { filled, variablesOf } from "../../conversations/static/conversations/composer/variables.js";

test("the variables of a text are named in their order, each once", () => {
  const text = "Write {{ length }} words on {{topic}} for {{audience}}: {{topic}}, {{  topic }}.";
  assert.deepEqual(variablesOf(text), ["length", "topic", "audience"]);
});

test("a name may have blanks and any letters", () => {
  assert.deepEqual(variablesOf("{{ the  first\tname }} {{题目}} {{a-b_c.d|e}}"), [
    "the first name",
    "题目",
    "a-b_c.d|e",
  ]);
});

test("what is no variable stays", () => {
  for (const text of [
    "{{}}",
    "{{ }}",
    "{a}",
    "{{a}",
    "{ {a} }",
    "{{a\nb}}",
    "{{{}}}",
    `{{${"x".repeat(101)}}}`,
  ]) {
    assert.deepEqual(variablesOf(text), []);
    assert.equal(filled(text, { a: "1" }), text);
  }
});

test("braces round a variable are text", () => {
  assert.deepEqual(variablesOf("{{{a}}}"), ["a"]);
  assert.equal(filled("{{{a}}}", { a: "1" }), "{1}");
});

test("a value is put in as the text that it is", () => {
  for (const value of ["$&", "$1", "{{b}}", "<b>", "a\nb", "", "\\"])
    assert.equal(filled("{{a}}, {{ a }}, {{b}}", { a: value, b: "B" }), `${value}, ${value}, B`);
});

test("a name that objects have by themselves is a name like any other", () => {
  assert.deepEqual(variablesOf("{{constructor}} {{__proto__}}"), ["constructor", "__proto__"]);
  assert.equal(filled("{{constructor}}", { constructor: "c" }), "c");
  assert.equal(filled("{{__proto__}}", Object.fromEntries([["__proto__", "p"]])), "p");
});
