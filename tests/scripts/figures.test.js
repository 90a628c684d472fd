import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { totalsInWords } from "../../conversations/static/conversations/transcript/cost.js";
import { lineOf, rowsOf } from "../../conversations/static/conversations/transcript/figures.js";
import { sections } from "../../conversations/static/conversations/transcript/layout.js";
import { EMPTY, reduce } from "../../conversations/static/conversations/transcript/reducer.js";
import { Record } from "./events.js";

const PRICES = JSON.stringify({ m: { input: 1000, output: 1000 } });
globalThis.document.getElementById = () => ({ dataset: { prices: PRICES, currency: "USD" } });

const USED = { inputTokens: 90, outputTokens: 10, totalTokens: 100 };

const played = (record) => record.events.reduce(reduce, EMPTY);
const turnOf = (record) => sections(played(record), [])[0];

const begun = () => new Record().start("t").question("q", "What?").step(1);
const stopped = (record) => record.add("RUN_FINISHED", { runId: "t", outcome: { type: "cancelled" } });

test("a reported usage is shown as it is", () => {
  const record = begun().answer("t:1:0", "Hello.").stepEnd(1, { model: "m", usage: USED });
  const section = turnOf(record.add("RUN_FINISHED", { runId: "t", outcome: { type: "success" } }));
  assert.match(lineOf(section), /, 100 tokens, \$0\.10$/);
  const [row] = rowsOf(section);
  assert.deepEqual([row.read, row.written, row.cost, row.isLeast], [90, 10, 0.1, false]);
});

test("a round that was stopped has used at least a token for every four characters of its text", () => {
  const record = begun().answer("t:1:0", "a".repeat(399), "b").stepEnd(1, { model: "m", usage: {} });
  const section = turnOf(stopped(record));
  assert.match(lineOf(section), /, at least 100 tokens, at least \$0\.10$/);
  const [row] = rowsOf(section);
  assert.deepEqual([row.read, row.written, row.cost, row.isLeast], [undefined, 100, 0.1, true]);
  assert.equal(totalsInWords(played(record).totals), "at least 100 tokens, at least $0.10");
});

test("what was reported of other rounds is counted in, and only the text of the own round", () => {
  const record = begun()
    .call("c", "top_song", "{}")
    .stepEnd(1, { model: "m", usage: USED })
    .result("c", "found")
    .step(2)
    .answer("t:2:0", "12345678")
    .stepEnd(2, { model: "m", usage: {} });
  const section = turnOf(stopped(record));
  assert.match(lineOf(section), /^2 rounds, .*, at least 102 tokens, at least \$0\.10$/);
  assert.equal(totalsInWords(played(record).totals), "at least 102 tokens, at least $0.10");
});

test("arguments of calls that were cut are counted too", () => {
  const record = begun().call("c", "top_song", "1234", "5678").stepEnd(1, { model: "m", usage: {} });
  assert.match(lineOf(turnOf(stopped(record))), /, at least 2 tokens, /);
});

test("the text that came before a failure is counted, at no price where the model is not known", () => {
  const record = begun().answer("t:1:0", "1234567890");
  const section = turnOf(record.add("RUN_ERROR", { code: "stream_cut", message: "It broke off." }));
  assert.match(lineOf(section), /, at least 2 tokens$/);
});

test("a turn of which nothing has come has a dash for its tokens, and no cost", () => {
  const section = turnOf(stopped(begun().stepEnd(1, { model: "m", usage: {} })));
  assert.match(lineOf(section), /, – tokens$/);
  const [row] = rowsOf(section);
  assert.deepEqual([row.read, row.written, row.cost], [undefined, undefined, null]);
});

test("an interrupted attempt has used at least its text", () => {
  const record = begun()
    .answer("t:1:0", "12345678")
    .stepEnd(1, { interrupted: true })
    .step(1)
    .answer("t:1.2:0", "Hello.")
    .stepEnd(1, { model: "m", usage: USED });
  const section = turnOf(record.add("RUN_FINISHED", { runId: "t", outcome: { type: "success" } }));
  assert.match(lineOf(section), /, at least 102 tokens, at least \$0\.10$/);
});

test("what was read from a cache and what was written to it are counted in, and stand for themselves", () => {
  const usage = { ...USED, cacheReadInputTokens: 1000, cacheWriteInputTokens: 200, totalTokens: 1300 };
  const record = begun().answer("t:1:0", "Hello.").stepEnd(1, { model: "m", usage });
  const [row] = rowsOf(turnOf(record.add("RUN_FINISHED", { runId: "t", outcome: { type: "success" } })));
  assert.deepEqual([row.read, row.cached, row.cachedAnew, row.written], [1290, 1000, 200, 10]);
});
