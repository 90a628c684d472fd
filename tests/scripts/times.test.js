import assert from "node:assert/strict";
import { test } from "node:test";
import { exactTime, showLocalTimes, showTime } from "../../conversations/static/conversations/lib/times.js";

const SERVERS = "2026-11-29T23:30:00+00:00";
const rootOf = (...times) => ({ querySelectorAll: () => times });

test("a time of the server's is shown by the reader's own clock, with the exact one and its zone on hover", () => {
  const time = { dateTime: SERVERS, dataset: {}, textContent: "2026-11-29 23:30 UTC", title: "" };
  showLocalTimes(rootOf(time));
  const local = new Date(SERVERS);
  assert.ok(time.textContent.includes(String(local.getDate())));
  assert.ok(time.textContent.includes(String(local.getMinutes())));
  assert.equal(time.title, exactTime(SERVERS));
  assert.match(time.title, /UTC|GMT|[A-Z]{3,4}$/u);
});

test("how long ago something was is still told so, and exactly on hover", () => {
  const time = { dateTime: SERVERS, dataset: { age: "" }, textContent: "3 hours ago", title: "" };
  showLocalTimes(rootOf(time));
  assert.equal(time.textContent, "3 hours ago");
  assert.equal(time.title, exactTime(SERVERS));
});

test("a time that is not known is not shown", () => {
  const time = { dateTime: "", textContent: "", title: "" };
  showTime(time, Date.parse(SERVERS));
  assert.deepEqual([Date.parse(time.dateTime), time.title], [Date.parse(SERVERS), exactTime(SERVERS)]);
  showTime(time, undefined);
  assert.deepEqual(time, { dateTime: "", textContent: "", title: "" });
});
