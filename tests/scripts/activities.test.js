import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { asCall } from "../../conversations/static/conversations/transcript/activities.js";
import { sections } from "../../conversations/static/conversations/transcript/layout.js";
import { EMPTY, reduce } from "../../conversations/static/conversations/transcript/reducer.js";
import { Record } from "./events.js";

const stateAfter = (record) => record.events.reduce(reduce, EMPTY);
const news = (record, name, value) => record.add("CUSTOM", { name: `turntable.${name}`, value });
const cite = (record, messageId, title) => news(record, "citation", { messageId, citation: { title } });
const serve = (record, messageId, part) => news(record, "server_tool", { messageId, server_tool: part });
const sectionOf = (record) => sections(stateAfter(record), [])[0];

test("sources are numbered over the turn, one that is cited again keeps its number", () => {
  const record = new Record().start("t").answer("t:1:0", "One.");
  cite(cite(record, "t:1:0", "Manual"), "t:1:0", "Book").answer("t:1:1", "Two.");
  cite(record, "t:1:1", "Manual");
  const { blocks, sources } = sectionOf(record);
  assert.deepEqual(
    sources.map(({ number, citation }) => [number, citation.title]),
    [
      [1, "Manual"],
      [2, "Book"],
    ],
  );
  assert.deepEqual(
    blocks.map(({ marks }) => marks),
    [[1, 2], [1]],
  );
});

test("a citation without a text of its own stands at the text before it", () => {
  const record = cite(new Record().start("t").answer("t:1:0", "One."), "t:1:1", "Manual");
  assert.deepEqual(sectionOf(record.answer("t:1:2", "Two.")).blocks[0].marks, [1]);
});

test("a citation that comes before its text stands at it", () => {
  const record = cite(new Record().start("t").answer("t:1:0", "One."), "t:1:1", "Manual");
  const { blocks } = sectionOf(record.answer("t:1:1", "Two."));
  assert.deepEqual(
    blocks.map(({ marks }) => marks),
    [undefined, [1]],
  );
});

const USE = { toolUse: { toolUseId: "s", name: "search", input: { q: "songs" }, type: "server_tool_use" } };
const RESULT = {
  toolResult: {
    toolUseId: "s",
    type: "search_result",
    status: "error",
    content: [{ text: "No." }, { json: { n: 1 } }],
  },
};

test("a provider's use of a tool and its result are one card, which runs until its round ends", () => {
  const record = serve(new Record().start("t").step(1), "t:1:0", USE);
  const card = () => asCall(sectionOf(record).blocks[0]);
  assert.deepEqual(card().message.toolCalls[0].function, { name: "search", arguments: '{"q":"songs"}' });
  assert.deepEqual([card().result, card().ended], [undefined, false]);
  serve(record, "t:1:1", RESULT).stepEnd(1);
  assert.equal(sectionOf(record).blocks.length, 1);
  assert.equal(card().result.content, 'No.\n{"n":1}');
  assert.deepEqual([card().result.metadata.status, card().ended], ["error", true]);
});

test("a result whose use is not on the page is a card by itself", () => {
  const [block] = sectionOf(serve(new Record().start("t"), "t:1:1", RESULT)).blocks;
  assert.equal(asCall(block).message.toolCalls[0].function.name, "search");
  assert.equal(asCall(block).result.content, 'No.\n{"n":1}');
});

test("what was cut is shown as far as it came, or as nothing", () => {
  const cut = { toolUse: { ...USE.toolUse, input: { cut: true, json: '{"q": "so' } } };
  const record = serve(new Record().start("t"), "t:1:0", cut);
  assert.equal(asCall(sectionOf(record).blocks[0]).message.toolCalls[0].function.arguments, '{"q": "so');
  const bare = serve(new Record().start("t"), "t:1:0", undefined);
  assert.equal(asCall(sectionOf(bare).blocks[0]).message.toolCalls[0].function.name, "");
});
