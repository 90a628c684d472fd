import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { countAt, momentsOf } from "../../conversations/static/conversations/player/moments.js";

const line = (event, boundaries = "") => `${JSON.stringify(event)}\t${boundaries}`;
const delta = (timestamp, text) => ({
  type: "TEXT_MESSAGE_CONTENT",
  messageId: "a",
  delta: text,
  timestamp,
  metadata: { seq: 9 },
});

test("a merged delta comes apart at its boundaries, which count whole characters", () => {
  const moments = momentsOf(line(delta(1000, "a\u{1F4A9}b"), "[[0,2],[40,1]]"), 0);
  assert.deepEqual(
    moments.map(({ at, event }) => [at, event.delta]),
    [
      [1000, "a\u{1F4A9}"],
      [1040, "b"],
    ],
  );
});

test("moments are numbered anew, from 1", () => {
  const moments = momentsOf([line(delta(1, "ab"), "[[0,1],[1,1]]"), line(delta(3, "c"))].join("\n"), 0);
  assert.deepEqual(
    moments.map(({ event }) => event.metadata.seq),
    [1, 2, 3],
  );
});

test("times never go backwards, and none is before the turn", () => {
  const moments = momentsOf(
    [line(delta(90, "a")), line(delta(200, "b")), line(delta(150, "c"))].join("\n"),
    100,
  );
  assert.deepEqual(
    moments.map(({ at }) => at),
    [100, 200, 200],
  );
});

test("only so many lines are read", () => {
  assert.equal(momentsOf([line(delta(1, "a")), line(delta(2, "b")), ""].join("\n"), 0, 2).length, 2);
});

test("moments up to a time are counted, that one too", () => {
  const moments = [{ at: 10 }, { at: 20 }, { at: 20 }, { at: 30 }];
  assert.deepEqual(
    [5, 10, 20, 29, 99].map((time) => countAt(moments, time)),
    [0, 1, 3, 3, 4],
  );
  assert.equal(countAt([], 5), 0);
});
