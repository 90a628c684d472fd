import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import {
  addressOf,
  landmarksOf,
  momentAt,
} from "../../conversations/static/conversations/player/scrubber.js";

const landmarks = landmarksOf([
  { id: "T1", number: 1, begin: 0, end: 900, question: "a", marks: [] },
  {
    id: "T2",
    number: 4,
    begin: 1000,
    end: 2000,
    question: "b",
    marks: [["call", 1500, "n", "50 %"]],
  },
]);

test("each moment is where its address leads", () => {
  for (const one of landmarks) assert.equal(momentAt(addressOf(one), landmarks).at, one.at);
  assert.equal(momentAt("#turn-T2", landmarks).at, 1000);
  assert.deepEqual(momentAt("#at-1200", landmarks), { at: 1200 });
});

test("an address that names nothing of the recording leads nowhere", () => {
  for (const fragment of [
    "",
    "#",
    "#turn-9",
    "#turn-",
    "#call-n",
    "#at-noon",
    "#at-%zz",
    "#call-%",
    "#then-1",
  ])
    assert.equal(momentAt(fragment, landmarks), undefined, fragment);
});
