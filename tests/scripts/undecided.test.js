import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { htmlOf } from "../../conversations/static/conversations/text/markdown.js";

const drawn = (source) => htmlOf(source, { references: {}, notes: new Map(), open: true });
const wordsOf = (html) => html.replace(/<[^>]*>/g, "").replace(/\s+/g, "");
const kindsOf = (html) =>
  Array.from(
    html.matchAll(/<(h\d|p|li|ul|ol|table|t[rhd]|pre|blockquote|hr|strong|em|s|a|sup|span)\b/g),
    ([, kind]) => kind,
  );

const TEXTS = [
  "Options:\n- one\n- two\n\n1. a\n2. b\n10. c",
  "Options:\n\n* one\n* **two**: *three*\n  - four\n+ five",
  "Options:\n\n---\n\nRest\n\n***\nmore",
  "# A\n## B c\n> quote\n> - in it\n\n---\n\n***\n\nEnd",
  "Here:\n| A | B |\n| :-- | --: |\n| 1 | **2** |\n| x<br>y | `z` |\n\nEnd",
  "- | A | B |\n  |---|---|\n  | 1 | 2 |",
  "With **bold**, *it*, ***both***, __b__, _i_, ~~gone~~ and **重要：**次。",
  "Code `a*b`, ``a ` b``, then `$x$` and <https://a.example> &amp; more",
  'See [the page](https://a.example/b_c "t"), ![a](https://a.example/p.png) and [1] and [x].',
  "Claim.[^1] More.[^two]\n\n[^1]: Hand*book*\n[^two]: Other",
  "See [a](https://a.example/(b)) and [c](https://c.example 't (u)').",
  "The $n$th and $k$s, H$_2$O, 10$^{-3}$; costs $5; run `echo x$` now, \\[x^2\\] too",
  "\\[1\\] Handbook\n\n\\[Name\\], hello\n\n\\[citation needed\\]\n\n$$$$",
  "Of $E = mc^2$ and \\(a^2\\), $x$; costs $5 and more, or 6$.",
  "```py\nif a:\n- | b\n```\nend\n\n~~~\n`x`\n~~~",
  "2 * 3 is 6, 5*3 is 15, snake_case, a < b, AT&T!",
  "- [ ] open\n- [x] **done**\n- plain",
  "3\n\n1986 was a year\n\n-5 degrees, +6 more, #tag\n\n=> so",
];

test("what is drawn of an open text is the beginning of what is drawn in the end, of the same kinds", () => {
  for (const text of TEXTS) {
    const whole = htmlOf(text);
    for (let length = 1; length <= text.length; length += 1) {
      const part = drawn(text.slice(0, length));
      const place = `${JSON.stringify(text.slice(0, length))} ${part}`;
      assert.ok(wordsOf(whole).startsWith(wordsOf(part)), place);
      const kinds = kindsOf(part);
      assert.deepEqual(kinds, kindsOf(whole).slice(0, kinds.length), place);
    }
  }
});

test("a paragraph of which nothing is decided is not drawn, an item of a list is", () => {
  assert.equal(drawn("One\n\n**t").trim(), "<p>One</p>");
  assert.deepEqual(kindsOf(drawn("- one\n- *t")), ["ul", "li", "li"]);
});

test("in the end all of it is drawn", () => {
  for (const text of ["Options:\n-", "a **b", "a `b", "[a", "It costs $", "x &am", "| a |", "```"])
    assert.equal(htmlOf(text, { references: {}, open: false }), htmlOf(text));
});

test("what stands open for long is drawn as it stands", () => {
  const rest = "word ".repeat(50);
  for (const mark of ["**", "`", "[", "$x", "*"])
    assert.ok(wordsOf(drawn(`a ${mark}b ${rest}`)).length > 200, mark);
  assert.match(wordsOf(drawn(`a *b ${rest} **c`)), /word$/);
});

test("what is decided waits for nothing", () => {
  for (const [text, words] of [
    ["a **b** c", "abc"],
    ["a `b` c", "abc"],
    ["one\n\n", "one"],
    ["Options:\n- o", "Options:o"],
    ["costs $5 and", "costs$5and"],
    ["2 * 3", "2*3"],
    ["```\ncode", "code"],
  ])
    assert.equal(wordsOf(drawn(text)), words);
});
