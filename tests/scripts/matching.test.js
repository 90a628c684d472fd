import assert from "node:assert/strict";
import { test } from "node:test";
import { spansOf } from "../../conversations/static/conversations/finding/matching.js";

const words = (text, query) => spansOf(text, query).map(([start, end]) => text.slice(start, end));

const FOUND = [
  ["Which SÖNG, my Song?", "song", ["SÖNG", "Song"]],
  ["a song and songs", "song", ["song", "song"]],
  ["Zürich, zurich", "zürich", ["Zürich", "zurich"]],
  ["e\u0301te\u0301 été", "ete", ["e\u0301te\u0301", "été"]],
  ["fly or fly-by, not butterfly", "fly", ["fly", "fly"]],
  ["in an inn", "in", ["in"]],
  ["the most popular, popular song", '"popular song"', ["popular song"]],
  ["the song is popular", "popular song", ["song", "popular"]],
  ["x = 3.50 at example.com/x-y", "3.50 example.com/x-y", ["3.50", "example.com/x-y"]],
  ["今天天气很好", "天气", ["天气"]],
  ["🎉 party", "party", ["party"]],
  ["ＡＢＣ and ﬁne", "abc fine", ["ＡＢＣ", "ﬁne"]],
  ["anything", "", []],
  ["anything", '"" ( + [', []],
];

for (const [text, query, expected] of FOUND)
  test(`of ${JSON.stringify(text)} the search ${JSON.stringify(query)} marks ${JSON.stringify(expected)}`, () =>
    assert.deepEqual(words(text, query), expected));
