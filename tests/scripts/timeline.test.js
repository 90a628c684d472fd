import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { Playhead } from "../../conversations/static/conversations/player/playhead.js";
import { SHORT_MS, Timeline } from "../../conversations/static/conversations/player/timeline.js";

const turn = (id, begin, end, waits = []) => ({ id, begin, end, waits });

test("a recording without waits is played as it was recorded", () => {
  const timeline = new Timeline([turn("a", 1000, 3000)], true);
  assert.equal(timeline.length, 2000);
  assert.deepEqual([timeline.played(1500), timeline.recorded(500)], [500, 1500]);
});

test("the time between turns is shortened always, a wait within one only when waits are skipped", () => {
  const turns = [turn("a", 0, 20_000, [[5000, 15_000, "call:x", false]]), turn("b", 60_000, 61_000)];
  assert.equal(new Timeline(turns, false).length, 20_000 + SHORT_MS + 1000);
  const skipping = new Timeline(turns, true);
  assert.equal(skipping.length, 10_000 + SHORT_MS + SHORT_MS + 1000);
  assert.deepEqual(
    skipping.shortened.map(({ key }) => key),
    ["call:x", "turn:b"],
  );
});

test("a wait in which nothing was under way is shortened in either case", () => {
  const turns = [turn("a", 0, 10_000, [[1000, 9000, "", true]])];
  assert.equal(new Timeline(turns, false).length, 2000 + SHORT_MS);
});

test("played and recorded times are each other's inverse outside of shortened waits", () => {
  const timeline = new Timeline([turn("a", 0, 9000, [[1000, 8000, "k", false]])], true);
  for (const time of [0, 400, 1000, 8000, 8500, 9000])
    assert.equal(timeline.recorded(timeline.played(time)), time);
});

test("times outside of the recording are its ends", () => {
  const timeline = new Timeline([turn("a", 1000, 2000)], false);
  assert.deepEqual([timeline.played(0), timeline.played(9999)], [0, 1000]);
  assert.equal(new Timeline([], false).length, 0);
});

test("the playhead is read off a clock, and a change of speed counts from then on", () => {
  let now = 0;
  const playhead = new Playhead(() => now);
  playhead.length = 10_000;
  playhead.play();
  now = 1000;
  assert.equal(playhead.position, 1000);
  playhead.setSpeed(4);
  now = 2000;
  assert.equal(playhead.position, 5000);
  playhead.pause();
  now = 9000;
  assert.equal(playhead.position, 5000);
  playhead.play();
  now = 99_000;
  assert.equal(playhead.position, 10_000);
});
