import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import {
  questionOf,
  sections,
  turnUnderWay,
} from "../../conversations/static/conversations/transcript/layout.js";
import { EMPTY, reduce } from "../../conversations/static/conversations/transcript/reducer.js";
import { Record } from "./events.js";

const stateAfter = (record) => record.events.reduce(reduce, EMPTY);
const finishedRecord = () =>
  new Record().start("t").question("q", "Hi").step(1).answer("t:1:0", "Hello").stepEnd(1).finish("t");
const offersOf = (state, outgoing = []) => sections(state, outgoing).at(-1).offers.split(" ");

test("a turn is a section with a block a message, a result inside its call", () => {
  const record = new Record()
    .start("t")
    .question("q", "Hi")
    .call("c", "f", "{}")
    .result("c", "ok")
    .answer("t:2:0", "Done");
  const [{ key, blocks }] = sections(stateAfter(record), []);
  assert.equal(key, "turn:t");
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ["you", "tool", "assistant"],
  );
  assert.equal(blocks[1].result.content, "ok");
});

test("blocks of one round share its number, results begin the next", () => {
  const record = new Record()
    .start("t")
    .call("a", "f")
    .call("b", "f")
    .result("a", "1")
    .result("b", "2")
    .call("c", "f");
  const [{ blocks }] = sections(stateAfter(record), []);
  assert.deepEqual(
    blocks.map(({ round }) => round),
    [0, 0, 1],
  );
});

test("a text with nothing in it is no block", () => {
  const [section] = sections(
    stateAfter(new Record().start("t").question("q", "Hi").answer("t:1:0", " \n")),
    [],
  );
  assert.equal(section.blocks.length, 1);
});

test("thoughts in a text are reasoning, under way while it is open, and keep their identity", () => {
  const record = new Record()
    .start("t")
    .question("q", "Hi")
    .answer("t:1:0", "<thin", "king>Hm.", "</thinking>Yes.");
  const partsAt = (end) => {
    const [{ blocks }] = sections(record.events.slice(0, end).reduce(reduce, EMPTY), []);
    return blocks.slice(1).map(({ id, kind, message }) => [id, kind, message.content, message.metadata.open]);
  };
  const [none, thinking, done] = [-3, -2, -1].map(partsAt);
  assert.deepEqual(none, []);
  assert.deepEqual(thinking, [["t:1:0~1", "reasoning", "Hm.", true]]);
  assert.deepEqual(done, [
    ["t:1:0~1", "reasoning", "Hm.", undefined],
    ["t:1:0~2", "assistant", "Yes.", true],
  ]);
  const state = stateAfter(record);
  const messages = () => sections(state, [])[0].blocks.map(({ message }) => message);
  const again = messages();
  assert.ok(messages().every((message, index) => message === again[index]));
  assert.equal(state.messages[1].content, "<thinking>Hm.</thinking>Yes.");
});

test("blocks of an interrupted attempt are a group, another attempt's ids begin a group of their own", () => {
  const record = new Record().start("t").question("q", "Hi");
  record.step(1).answer("t:1:0", "half").call("x", "f").stepEnd(1, { interrupted: true });
  record.step(1).answer("t:1.1:0", "again half").stepEnd(1, { interrupted: true });
  const [{ parts }] = sections(stateAfter(record), []);
  assert.deepEqual(
    parts.map((part) => part.blocks?.length ?? part.kind),
    ["you", 2, 1],
  );
  assert.deepEqual(
    parts.map((part) => Boolean(part.isLast)),
    [false, false, true],
  );
  assert.equal(parts[1].key, "attempt:t:1:0");
});

test("the newest answer can be made again and its question edited while nothing is under way", () => {
  const state = stateAfter(finishedRecord());
  assert.deepEqual(offersOf(state), ["edit", "regenerate"]);
  const underWay = stateAfter(finishedRecord().start("u").question("q2", "And?"));
  assert.equal(turnUnderWay(underWay).id, "u");
  assert.deepEqual(
    sections(underWay, []).map(({ offers }) => offers),
    ["", ""],
  );
});

test("an answer that was cut goes on, a failed one is tried again", () => {
  const cut = finishedRecord();
  cut.events.find(({ type }) => type === "STEP_FINISHED").metadata.stopReason = "max_tokens";
  assert.deepEqual(offersOf(stateAfter(cut)), ["edit", "continue", "regenerate"]);
  const failed = new Record()
    .start("t")
    .question("q", "Hi")
    .add("RUN_ERROR", { code: "throttled", message: "Busy." });
  assert.deepEqual(offersOf(stateAfter(failed)), ["edit", "again"]);
});

test("what waits for a turn can be edited and withdrawn, what is on its way cannot", () => {
  const queue = [{ id: "w", text: "Next" }];
  const [, queued, sending] = sections({ ...stateAfter(finishedRecord()), queue }, [
    { id: "s", text: "Now", at: 5 },
  ]);
  assert.deepEqual([queued.turn.status, queued.offers], ["queued", "edit withdraw"]);
  assert.equal(queued.blocks[0].message.content, "Next");
  assert.deepEqual(
    [sending.turn.status, sending.offers, sending.blocks[0].message.content],
    ["sending", "", "Now"],
  );
});

test("nothing is offered in a recording or on an older page", () => {
  assert.deepEqual(offersOf({ ...stateAfter(finishedRecord()), played: true }), [""]);
  const [section] = sections({ ...stateAfter(finishedRecord()), partial: true }, []);
  assert.deepEqual([section.offers, section.goesOn], ["", true]);
});

test("a question that was cut cannot be asked again", () => {
  const [{ blocks }] = sections(stateAfter(finishedRecord()), []);
  assert.equal(questionOf(blocks), "Hi");
  const cut = blocks.map((block) => ({ ...block, message: { ...block.message, metadata: { cut: true } } }));
  assert.equal(questionOf(cut), undefined);
});
