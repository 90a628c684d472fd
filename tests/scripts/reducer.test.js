import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import {
  EMPTY,
  position,
  prepend,
  reduce,
} from "../../conversations/static/conversations/transcript/reducer.js";
import { Record } from "./events.js";

const stateAfter = (record, state = EMPTY) => record.events.reduce(reduce, state);

test("deltas add up to the answer, which is open until it ends", () => {
  const { events } = new Record().start("t").question("q", "Hi").answer("t:1:0", "Hel", "lo");
  const open = events.slice(0, -1).reduce(reduce, EMPTY).messages.at(-1);
  assert.equal(open.content, "Hello");
  assert.equal(open.metadata.open, true);
  const closed = events.reduce(reduce, EMPTY).messages.at(-1);
  assert.deepEqual(closed, { id: "t:1:0", role: "assistant", content: "Hello", metadata: { turn: "t" } });
});

test("an event that was applied, and one behind a gap, change nothing", () => {
  const state = stateAfter(new Record().start("t"));
  const again = new Record().start("t").events[0];
  assert.equal(position(state, again), "old");
  assert.equal(reduce(state, again), state);
  const later = { type: "STEP_STARTED", stepName: "round 1", metadata: { seq: 3 } };
  assert.equal(position(state, later), "gap");
  assert.equal(reduce(state, later), state);
});

test("an aside has no number and moves no cursor", () => {
  const state = stateAfter(new Record().start("t"));
  const aside = { type: "CUSTOM", name: "turntable.draft", value: { text: "half a" } };
  assert.equal(position(state, aside), "aside");
  const next = reduce(state, aside);
  assert.deepEqual([next.cursor, next.draft], [state.cursor, "half a"]);
});

test("an unknown event counts and does nothing else", () => {
  const state = reduce(EMPTY, { type: "SOMETHING_NEW", metadata: { seq: 1 } });
  assert.deepEqual(state, { ...EMPTY, cursor: 1 });
});

test("what has not changed keeps its identity", () => {
  const record = new Record()
    .start("t")
    .question("q", "Hi")
    .add("TEXT_MESSAGE_START", { messageId: "a", role: "assistant" });
  const before = stateAfter(record);
  const delta = {
    type: "TEXT_MESSAGE_CONTENT",
    messageId: "a",
    delta: "x",
    metadata: { seq: before.cursor + 1 },
  };
  const after = reduce(before, delta);
  assert.equal(after.messages[0], before.messages[0]);
  assert.notEqual(after.messages[1], before.messages[1]);
  assert.equal(after.turns, before.turns);
});

test("a stopped turn closes what is open, a waiting one names its interrupts", () => {
  const cut = new Record().start("t").add("TEXT_MESSAGE_START", { messageId: "a", role: "assistant" });
  const stopped = stateAfter(cut.finish("t", { type: "cancelled" }));
  assert.equal(stopped.turns[0].status, "stopped");
  assert.equal(stopped.messages[0].metadata.open, undefined);
  const interrupts = [{ id: "c", message: "Run it?", toolCallId: "c", reason: "left out" }];
  const waiting = stateAfter(new Record().start("t").finish("t", { type: "interrupt", interrupts }));
  assert.equal(waiting.turns[0].status, "waiting");
  assert.deepEqual(waiting.turns[0].interrupts, [{ id: "c", message: "Run it?", toolCallId: "c" }]);
});

test("the messages of an interrupted step are marked, the question and what came before are not", () => {
  const record = new Record().start("t").question("q", "Hi").step(1).answer("t:1:0", "old").stepEnd(1);
  record
    .call("c", "f", "{}")
    .result("c", "ok")
    .step(2)
    .answer("t:2:0", "half")
    .stepEnd(2, { interrupted: true });
  const marks = stateAfter(record).messages.map(({ metadata }) => Boolean(metadata.interrupted));
  assert.deepEqual(marks, [false, false, false, false, true]);
});

test("a failed result has the beginning of its text as its error, in whole characters", () => {
  const record = new Record()
    .start("t")
    .call("c", "f", "{}")
    .result("c", "\u{1F4A9}".repeat(300), { status: "error" });
  assert.equal(stateAfter(record).messages.at(-1).error, "\u{1F4A9}".repeat(200));
});

test("a retry is shown until the next event of the record", () => {
  const value = { seconds: 2, attempt: 2, of: 3 };
  const record = new Record().start("t").add("CUSTOM", { name: "turntable.retrying", value });
  assert.deepEqual(stateAfter(record).turns[0].retrying, { ...value, at: 2000 });
  assert.equal(stateAfter(record.step(1)).turns[0].retrying, null);
});

test("how a round was asked again stays to be seen", () => {
  const once = { what: "Asked again without pictures.", why: "no eyes" };
  const again = { what: "Asked again for at most 1,500 tokens.", why: "too many" };
  const record = new Record().start("t").add("CUSTOM", { name: "turntable.adjusted", value: once });
  const state = stateAfter(record.add("CUSTOM", { name: "turntable.adjusted", value: again }).step(1));
  assert.deepEqual(state.turns[0].adjusted, [once, again]);
});

test("a question that was refused itself is marked, and no other", () => {
  const record = new Record().start("a").question("q1", "1").finish("a").start("b").question("q2", "2");
  record.add("RUN_ERROR", { code: "invalid_request", message: "Refused." }, { leftOut: true });
  const marks = stateAfter(record).messages.map(({ metadata }) => metadata.leftOut);
  assert.deepEqual(marks, [undefined, true]);
});

test("a turn beside another begins a branch, without what stood behind its parent", () => {
  const record = new Record()
    .start("a")
    .question("q1", "1")
    .finish("a")
    .start("b")
    .question("q2", "2")
    .finish("b");
  const state = stateAfter(record.start("c", { parentRunId: "a" }).question("q3", "3"));
  assert.deepEqual(
    state.turns.map(({ id }) => id),
    ["a", "c"],
  );
  assert.deepEqual(state.turns[1].versions, ["b", "c"]);
  assert.deepEqual(
    state.messages.map(({ id }) => id),
    ["q1", "q3"],
  );
});

test("a turn beside one that is not on the page asks for a snapshot", () => {
  const record = new Record().start("a").finish("a").start("b", { parentRunId: "earlier" });
  assert.equal(stateAfter(record).stale, true);
});

test("a run after an approval goes on with its turn", () => {
  const record = new Record().start("t").step(1).stepEnd(1).finish("t", { type: "interrupt" }).start("t:2");
  const { turns } = stateAfter(record);
  assert.equal(turns.length, 1);
  assert.deepEqual([turns[0].status, turns[0].endedAt, turns[0].startedAt], ["running", null, 1000]);
  assert.equal(turns[0].rounds[0].calledAt, 5000);
});

test("tokens are summed up by model", () => {
  const usage = { inputTokens: 10, outputTokens: 2 };
  const record = new Record()
    .start("t")
    .step(1)
    .stepEnd(1, { model: "m", usage })
    .step(2)
    .stepEnd(2, { model: "m", usage });
  const { m } = stateAfter(record).totals;
  assert.deepEqual([m.inputTokens, m.outputTokens, m.rounds], [20, 4, 2]);
});

test("an older page is put before the newer one, what both have only once", () => {
  const newer = stateAfter(new Record().start("b").question("q2", "2"));
  const older = { ...stateAfter(new Record().start("a").question("q1", "1")), before: "x" };
  const both = prepend(newer, { ...older, messages: [...older.messages, newer.messages[0]] });
  assert.deepEqual(
    both.messages.map(({ id }) => id),
    ["q1", "q2"],
  );
  assert.equal(both.messages[1], newer.messages[0]);
  assert.deepEqual([both.before, both.turns.length], ["x", 2]);
});

test("a snapshot takes the place of all", () => {
  const snapshot = { type: "MESSAGES_SNAPSHOT", messages: [], metadata: { seq: 7, turns: [], queue: [] } };
  const state = reduce({ ...stateAfter(new Record().start("t")), stale: true, title: "Kept" }, snapshot);
  assert.deepEqual([state.cursor, state.turns, state.stale, state.title], [7, [], false, "Kept"]);
});
