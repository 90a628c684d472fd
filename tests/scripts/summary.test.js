import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import "./browser.js";
import { summaryOf } from "../../conversations/static/conversations/cards/summary.js";

const CASES = JSON.parse(readFileSync(new URL("summaries.json", import.meta.url), "utf8"));

for (const [name, text, line] of CASES)
  test(`arguments in a line: ${name}`, () => assert.equal(summaryOf(text), line));
