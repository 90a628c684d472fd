import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isApple,
  isDue,
  keysOf,
  namesOf,
  SHORTCUTS,
  shortcutOf,
} from "../../conversations/static/conversations/shortcuts/table.js";

const press = (key, more = {}) => ({
  key,
  code: /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key,
  keyCode: 0,
  isComposing: false,
  repeat: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});
const nameOf = (event, apple = false) => shortcutOf(event, apple)?.name;
const byName = (name) => SHORTCUTS.find((shortcut) => shortcut.name === name);
const keysOfEvent = (keys) =>
  press(keys.at(-1) === "?" ? "?" : keys.at(-1), {
    ctrlKey: keys.includes("Ctrl") || keys.includes("Mod"),
    altKey: keys.includes("Alt"),
    shiftKey: keys.includes("Shift"),
  });

test("each shortcut is heard by its own keys, and by no other's", () => {
  for (const shortcut of SHORTCUTS.filter(({ name }) => name))
    for (const keys of keysOf(shortcut, false)) {
      assert.equal(nameOf(keysOfEvent(keys)), shortcut.name);
      assert.equal(nameOf({ ...keysOfEvent(keys), metaKey: true }), undefined);
    }
});

test("the search's key is Cmd on a Mac and Ctrl elsewhere, with no other key held", () => {
  assert.equal(nameOf(press("k", { ctrlKey: true })), "search");
  assert.equal(nameOf(press("k", { metaKey: true })), undefined);
  assert.equal(nameOf(press("k", { metaKey: true }), true), "search");
  assert.equal(nameOf(press("k", { ctrlKey: true }), true), undefined);
  assert.equal(nameOf(press("k", { ctrlKey: true, altKey: true })), undefined);
  assert.equal(nameOf(press("k")), undefined);
});

test("where the letters are not Latin the key's place counts, else its letter", () => {
  assert.equal(nameOf(press("л", { code: "KeyK", ctrlKey: true })), "search");
  assert.equal(nameOf(press("t", { code: "KeyK", ctrlKey: true })), undefined);
  assert.equal(nameOf(press("k", { code: "KeyV", ctrlKey: true })), "search");
});

test("a question mark needs Shift on one keyboard and not on another", () => {
  assert.equal(nameOf(press("?", { shiftKey: true })), "sheet");
  assert.equal(nameOf(press("?")), "sheet");
  assert.equal(nameOf(press("?", { ctrlKey: true })), undefined);
});

test("nothing is heard of an input method, nor of a key that is held down", () => {
  for (const more of [{ isComposing: true }, { keyCode: 229 }, { repeat: true }])
    for (const shortcut of SHORTCUTS.filter(({ name }) => name))
      for (const keys of keysOf(shortcut, false))
        assert.equal(nameOf({ ...keysOfEvent(keys), ...more }), undefined);
});

test("no single letter is listened to, and no key that a browser is known to use", () => {
  const taken = /^(Mod|Ctrl)\+(Shift\+)?[ACDEFHIJLMNOPQRSTUVWXYZ]$/;
  for (const shortcut of SHORTCUTS.filter(({ name }) => name))
    for (const keys of keysOf(shortcut, false)) {
      assert.doesNotMatch(keys.join("+"), /^[A-Za-z]$/);
      assert.doesNotMatch(keys.join("+"), taken);
    }
});

const nowhere = { isField: false, isBox: false, isEmpty: false, isModal: false, isOpen: false };
const box = { ...nowhere, isField: true, isBox: true };

test("Escape stops from the box or from no field, while nothing is open", () => {
  const stop = byName("stop");
  assert.equal(isDue(stop, nowhere), true);
  assert.equal(isDue(stop, box), true);
  assert.equal(isDue(stop, { ...box, isBox: false }), false);
  for (const more of [{ isOpen: true }, { isModal: true, isOpen: true }])
    for (const place of [nowhere, box]) assert.equal(isDue(stop, { ...place, ...more }), false);
});

test("the arrow edits from an empty box alone, the question mark asks outside of fields", () => {
  assert.equal(isDue(byName("edit"), { ...box, isEmpty: true }), true);
  for (const place of [nowhere, box, { ...box, isEmpty: true, isOpen: true }])
    assert.equal(isDue(byName("edit"), place), false);
  assert.equal(isDue(byName("sheet"), nowhere), true);
  assert.equal(isDue(byName("sheet"), box), false);
});

test("a search begins in a field and with a menu open, and not over a dialog", () => {
  for (const place of [nowhere, box, { ...nowhere, isOpen: true }])
    assert.equal(isDue(byName("search"), place), true);
  assert.equal(isDue(byName("search"), { ...nowhere, isModal: true, isOpen: true }), false);
});

test("keys are named as they are written on them", () => {
  const named = (name, apple) => keysOf(byName(name), apple).map((keys) => namesOf(keys, apple).join(" "));
  assert.deepEqual(named("search", false), ["Ctrl K"]);
  assert.deepEqual(named("search", true), ["⌘ K"]);
  assert.deepEqual(named("new", false), ["Alt Shift N"]);
  assert.deepEqual(named("new", true), ["⌃ ⇧ N"]);
  assert.deepEqual(named("stop", false), ["Esc"]);
  assert.deepEqual(keysOf({ keys: ["+", "-"] }, false), [["+"], ["-"]]);
});

test("a Mac is known by what its browsers say", () => {
  assert.equal(isApple({ platform: "MacIntel" }), true);
  assert.equal(isApple({ userAgentData: { platform: "macOS" }, platform: "" }), true);
  assert.equal(isApple({ platform: "iPad" }), true);
  for (const platform of ["Win32", "Linux x86_64", ""]) assert.equal(isApple({ platform }), false);
});
