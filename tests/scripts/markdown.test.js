import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { blocks, htmlOf, labelsWithout } from "../../conversations/static/conversations/text/markdown.js";

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

const bare = (source) => htmlOf(source).replace(/^<p>|<\/p>\n$/g, "");

test("emphasis and strikes beside the punctuation of Chinese, Japanese and Korean are what they are elsewhere", () => {
  assert.equal(bare("**重要：**請先備份。"), "<strong>重要：</strong>請先備份。");
  assert.equal(bare("これは**「設定」**です。"), "これは<strong>「設定」</strong>です。");
  assert.equal(bare("**서울(Seoul)**은 *『책』*을"), "<strong>서울(Seoul)</strong>은 <em>『책』</em>을");
  assert.equal(bare("~~削除。~~次 ~~「旧」~~新"), "<s>削除。</s>次 <s>「旧」</s>新");
  assert.equal(
    bare("前**[連結](https://a.example)**後"),
    '前<strong><a href="https://a.example">連結</a></strong>後',
  );
  assert.equal(
    bare("请运行**`make`**。**100%**的"),
    "请运行<strong><code>make</code></strong>。<strong>100%</strong>的",
  );
});

test("an asterisk or a tilde that marks nothing stays, in any script", () => {
  for (const text of ["2 * 3 * 4", "3 * 4，5 * 6", "a ** b", "~5 到 ~6", "snake_case_name", "変数_名_前"])
    assert.equal(bare(text), text);
});

test("a line that ends ends, in lists and quotations too", () => {
  assert.equal(bare("Roses are red,\nviolets are blue."), "Roses are red,<br>\nviolets are blue.");
  assert.equal(bare("one\r\ntwo  \nthree\\\nfour"), "one<br>\ntwo<br>\nthree<br>\nfour");
  for (const begin of ["- ", "1. ", "> ", "- > "])
    assert.match(htmlOf(`${begin}one\n${begin === "> " ? "> " : "    "}two`), /one<br>\s*two/);
});

test("a bare br ends a line in a cell of a table, and no other tag does anything", () => {
  const cell = (text) => htmlOf(`| ${text} | b |\n|---|---|\n| ${text} | b |`).match(/<td>(.*?)<\/td>/s)[1];
  assert.equal(cell("one<br>two<BR/>three<br />four"), "one<br>\ntwo<br>\nthree<br>\nfour");
  assert.equal(cell("**a<br>b** <br><br>"), "<strong>a<br>\nb</strong> <br>\n<br>\n");
  for (const text of ["<br class=x>", "<b>", "<brx>", "</br>", "\\<br>", "`<br>`", "&lt;br&gt;"])
    assert.doesNotMatch(cell(text), /<(?!\/?code>)/);
  assert.equal(htmlOf("| a<br>b |\n|---|").match(/<th>.*<\/th>/s)[0], "<th>a<br>\nb</th>");
  assert.equal(bare("a<br>b"), "a&lt;br&gt;b");
});

test("headings begin below the page's own", () => {
  const levels = Array.from(
    htmlOf("# a\n## b\n###### c\nd\n===\ne\n---").matchAll(/<h(\d)>/g),
    ([, level]) => level,
  );
  assert.deepEqual(levels, ["2", "3", "6", "2", "3"]);
});

const notesOf = (source) => {
  const notes = new Map();
  htmlOf(source, { references: {}, notes });
  return Object.fromEntries(notes);
};

test("a note is taken out of the text by its label, in any script, and its citations stay", () => {
  assert.deepEqual(notesOf("Claim.[^1]\n\n[^1]: Handbook\n[^注]: 手册 *三*\n[^a-b]:x"), {
    1: "Handbook",
    注: "手册 *三*",
    "A-B": "x",
  });
  assert.equal(
    htmlOf("Claim.[^1] 说[^注]。\n[^1]: Handbook").trim(),
    '<p>Claim.<sup class="citation">1</sup> 说<sup class="citation">注</sup>。</p>',
  );
});

test("a note goes on over indented lines and those of its paragraph, and no further", () => {
  const text = "[^1]: one\ntwo\n\n    three\n\n    - four\n\nfive";
  assert.deepEqual(notesOf(text), { 1: "one\ntwo\n\nthree\n\n- four" });
  assert.equal(htmlOf(text).trim(), "<p>five</p>");
  assert.deepEqual(notesOf("[^1]: one\n- two"), { 1: "one" });
  assert.deepEqual(notesOf("> [^1]: one\n>     two\n\n- [^2]: three"), { 1: "one\ntwo", 2: "three" });
});

test("the first of two notes of a label counts", () => {
  assert.deepEqual(notesOf("[^A]: one\n[^a]: two"), { A: "one" });
});

test("what is code, escaped, spaced or a link is no citation and no note", () => {
  for (const text of [
    "`[^1]`",
    "\\[^1]",
    "[^1 2]",
    "[^]",
    "[^1](https://a.example)",
    "    [^1]: code",
    "[^0-9] [^\\s] [^>]",
  ])
    assert.doesNotMatch(htmlOf(text), /citation/);
  assert.deepEqual(notesOf("```\n[^1]: code\n```\n\n    [^2]: code"), {});
});

test("each note begins a block", () => {
  assert.deepEqual(startsOf("One.[^1]\n\n[^1]: a\n[^2]: b\n\nTwo.\n"), [10, 18, 27]);
});
