import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Socket, waitBefore } from "../../conversations/static/conversations/chat/socket.js";
import { FakeWebSocket, fire, stopClock } from "./browser.js";

let tick;
let cursor;
let statuses;
let isWhole;

beforeEach(() => {
  tick = stopClock();
  FakeWebSocket.all = [];
  cursor = 7;
  statuses = [];
  isWhole = true;
});

function newSocket() {
  const socket = new Socket("ws://here/c", {
    cursor: () => cursor,
    receive: () => isWhole,
    changed: (status) => statuses.push(status),
  });
  socket.connect();
  return socket;
}

function connect() {
  const socket = newSocket();
  FakeWebSocket.newest.open();
  return socket;
}

const sockets = () => FakeWebSocket.all.length;

test("waits double up to a limit", () => {
  assert.deepEqual(
    [0, 1, 2, 10].map((attempt) => waitBefore(attempt, 1)),
    [500, 1000, 2000, 20_000],
  );
  assert.equal(waitBefore(3, 0), 0);
});

test("it reads on from the cursor", () => {
  connect();
  assert.equal(FakeWebSocket.newest.url, "ws://here/c?after=7");
  assert.deepEqual(statuses, ["open"]);
});

test("what was applied is acknowledged after a while, or at once when it is much", () => {
  connect();
  const { frames } = FakeWebSocket.newest;
  FakeWebSocket.newest.say({ type: "x" });
  assert.deepEqual(frames, []);
  tick(250);
  assert.deepEqual(frames, [{ type: "ack", seq: 7 }]);
  FakeWebSocket.newest.say({ type: "x", text: "a".repeat(50_000) });
  assert.equal(frames.length, 2);
});

test("an event that is missing makes it connect anew, at once", () => {
  connect();
  isWhole = false;
  FakeWebSocket.newest.say({ type: "x" });
  tick(0);
  assert.equal(sockets(), 2);
});

test("a lost connection comes back by itself", () => {
  connect();
  FakeWebSocket.newest.lose(1006);
  assert.deepEqual(statuses, ["open", "lost"]);
  tick(20_000);
  assert.equal(sockets(), 2);
});

test("a conversation that is gone and a user who is signed out are not connected again", () => {
  connect();
  FakeWebSocket.newest.lose(4404);
  connect();
  FakeWebSocket.newest.lose(4401);
  tick(60_000);
  assert.deepEqual(statuses, ["open", "gone", "open", "signed-out"]);
  assert.equal(sockets(), 2);
});

test("after too much at once it waits, and acknowledges less often", () => {
  const socket = connect();
  FakeWebSocket.newest.lose(1008);
  assert.equal(statuses.at(-1), "flooded");
  tick(1999);
  assert.equal(sockets(), 1);
  tick(30_000);
  assert.equal(sockets(), 2);
  assert.ok(socket.slower > 1);
});

test("nothing can be sent where there is no connection", () => {
  const socket = connect();
  assert.equal(socket.send({ type: "stop" }), true);
  FakeWebSocket.newest.lose(1006);
  assert.equal(socket.send({ type: "stop" }), false);
  tick(20_000);
  assert.equal(socket.send({ type: "stop" }), false);
});

test("what is sent while the first connection is made goes out once it is there", () => {
  const socket = newSocket();
  assert.equal(socket.send({ type: "stop" }), true);
  assert.deepEqual(FakeWebSocket.newest.frames, []);
  FakeWebSocket.newest.open();
  assert.deepEqual(FakeWebSocket.newest.frames, [{ type: "stop" }]);
  FakeWebSocket.newest.lose(1006);
  tick(20_000);
  FakeWebSocket.newest.open();
  assert.deepEqual(FakeWebSocket.newest.frames, []);
});

test("a restart begins with a snapshot, and goes on from the cursor after that", () => {
  const socket = connect();
  socket.restart();
  assert.equal(FakeWebSocket.newest.url, "ws://here/c");
  FakeWebSocket.newest.open();
  FakeWebSocket.newest.say({ type: "MESSAGES_SNAPSHOT" });
  assert.equal(socket.needsSnapshot, false);
});

test("a socket that another has replaced is not heard any more", () => {
  const socket = connect();
  const [old] = FakeWebSocket.all;
  socket.restart();
  old.lose(1006);
  assert.equal(statuses.includes("lost"), false);
});

test("a network that is back is used without waiting", () => {
  connect();
  FakeWebSocket.newest.lose(1006);
  fire("online");
  assert.ok(sockets() >= 2);
});
