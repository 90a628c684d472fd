/**
 * A browser for the modules under test: storage, events of the window, sockets. And what Node 18 and 20 lack.
 */
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;

Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

Array.prototype.with ??= function (index, value) {
  const copy = [...this];
  copy[index < 0 ? copy.length + index : index] = value;
  return copy;
};

/** The tab's storage. */
export const storage = new Map();

globalThis.sessionStorage = {
  getItem: (key) => storage.get(key) ?? null,
  setItem: (key, value) => storage.set(key, value),
  removeItem: (key) => storage.delete(key),
};

const listeners = new Map();

globalThis.addEventListener = (type, listener) =>
  listeners.set(type, [...(listeners.get(type) ?? []), listener]);

/** Lets the window hear an event. */
export const fire = (type) => {
  for (const listener of listeners.get(type) ?? []) listener({ type });
};

globalThis.document = {
  addEventListener: globalThis.addEventListener,
  hidden: false,
  getElementById: () => null,
};

/** A socket whose server is the test. */
export class FakeWebSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static all = [];

  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.frames = [];
    FakeWebSocket.all.push(this);
  }

  static get newest() {
    return FakeWebSocket.all.at(-1);
  }

  open() {
    this.readyState = FakeWebSocket.OPEN;
    this.onopen();
  }

  say(event) {
    this.onmessage({ data: JSON.stringify(event) });
  }

  lose(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  send(text) {
    this.frames.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }
}

globalThis.WebSocket = FakeWebSocket;

/** Stops the clock and the timers. The function that it returns lets so many milliseconds pass. */
export function stopClock() {
  const timers = new Map();
  let now = 1_000_000;
  let count = 0;
  const add = (act, ms, every) => timers.set(++count, { act, at: now + (ms ?? 0), every }) && count;
  globalThis.setTimeout = (act, ms) => add(act, ms);
  globalThis.setInterval = (act, ms) => add(act, ms, ms);
  globalThis.clearTimeout = globalThis.clearInterval = (id) => timers.delete(id);
  Date.now = () => now;
  const nextBefore = (end) =>
    [...timers].filter(([, { at }]) => at <= end).sort(([, one], [, other]) => one.at - other.at)[0];
  return (ms) => {
    const end = now + ms;
    for (let due = nextBefore(end); due; due = nextBefore(end)) {
      const [id, timer] = due;
      now = timer.at;
      if (timer.every) timer.at += timer.every;
      else timers.delete(id);
      timer.act();
    }
    now = end;
  };
}
