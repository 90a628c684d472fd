/**
 * The keyboard's shortcuts as data: the listener acts by it, the sheet lists it. None is a browser's own in common use (but for search,
 * which people know from elsewhere), and none but `?` is a single letter, which screen readers use.
 */
import { isComposing } from "../lib/keys.js";

/**
 * @typedef {{
 *   name?: string,
 *   does: string,
 *   keys: string[],
 *   mac?: string[],
 *   when?: "always" | "outside" | "free" | "empty",
 *   group: string,
 * }} Shortcut
 *
 * What has no `name` is heard where one writes, and listed only. `when`: "outside" of fields, "free" of anything that is open, in the
 * "empty" box of a message.
 */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  {
    name: "search",
    does: "Search, or go to a conversation",
    keys: ["Mod+K"],
    when: "always",
    group: "Everywhere",
  },
  {
    name: "new",
    does: "New conversation",
    keys: ["Alt+Shift+N"],
    mac: ["Ctrl+Shift+N"],
    when: "always",
    group: "Everywhere",
  },
  { name: "sheet", does: "Keyboard shortcuts", keys: ["?"], when: "outside", group: "Everywhere" },
  { name: "stop", does: "Stop the answer", keys: ["Escape"], when: "free", group: "In a conversation" },
  {
    name: "edit",
    does: "Change your last message, from an empty box",
    keys: ["ArrowUp"],
    when: "empty",
    group: "In a conversation",
  },
  {
    name: "copyAnswer",
    does: "Copy the last answer",
    keys: ["Alt+Shift+C"],
    mac: ["Ctrl+Shift+C"],
    when: "always",
    group: "In a conversation",
  },
  {
    name: "copyCode",
    does: "Copy the last code",
    keys: ["Alt+Shift+K"],
    mac: ["Ctrl+Shift+K"],
    when: "always",
    group: "In a conversation",
  },
  { does: "Send", keys: ["Enter", "Mod+Enter"], group: "Where you write" },
  { does: "Break the line", keys: ["Shift+Enter"], group: "Where you write" },
  { does: "List your saved prompts, at the start of a message", keys: ["/"], group: "Where you write" },
  { does: "Play or pause", keys: ["Space"], group: "In a playback" },
  {
    does: "Next event, round or turn; with Shift the one before",
    keys: ["E", "R", "T"],
    group: "In a playback",
  },
  { does: "Skip waiting", keys: ["S"], group: "In a playback" },
  { does: "Faster, slower", keys: ["+", "-"], group: "In a playback" },
];

/** @type {Record<string, string>} */
const NAMES = { Escape: "Esc", ArrowUp: "↑", Mod: "Ctrl" };
/** @type {Record<string, string>} */
const MAC_NAMES = { Mod: "⌘", Ctrl: "⌃", Alt: "⌥", Shift: "⇧", Escape: "Esc", ArrowUp: "↑", Enter: "Return" };

/**
 * Whether this is a Mac, or another device of Apple's with a keyboard.
 * @param {{userAgentData?: {platform: string}, platform?: string}} browser
 */
export function isApple({ userAgentData, platform = "" } = navigator) {
  return /^(mac|ip(hone|ad|od))/i.test(userAgentData?.platform || platform);
}

/**
 * The combinations of keys of a shortcut, on this keyboard.
 * @param {Shortcut} shortcut
 * @param {boolean} apple
 */
export const keysOf = ({ keys, mac }, apple) =>
  ((apple && mac) || keys).map((combination) => combination.split(/\+(?=.)/));

/**
 * What is written on the keys.
 * @param {string[]} keys
 * @param {boolean} apple
 */
export const namesOf = (keys, apple) => keys.map((key) => (apple ? MAC_NAMES : NAMES)[key] ?? key);

/**
 * The shortcut that an event is the keys of, if it is any that is listened to.
 * @param {KeyboardEvent} event
 * @param {boolean} apple
 */
export function shortcutOf(event, apple) {
  if (event.repeat || isComposing(event)) return undefined;
  return SHORTCUTS.find(
    (shortcut) => shortcut.name && keysOf(shortcut, apple).some((keys) => isPressed(event, keys, apple)),
  );
}

/**
 * @param {KeyboardEvent} event
 * @param {string[]} keys
 * @param {boolean} apple
 */
function isPressed(event, keys, apple) {
  const key = keys[keys.length - 1];
  /** @param {string[]} names */
  const has = (...names) => names.some((name) => keys.includes(name));
  return (
    isKey(event, key) &&
    event.ctrlKey === (has("Ctrl") || (!apple && has("Mod"))) &&
    event.metaKey === (apple && has("Mod")) &&
    event.altKey === has("Alt") &&
    (event.shiftKey === has("Shift") || key === "?")
  );
}

/**
 * Whether that key was pressed: by its place where the letters are not Latin ones.
 * @param {KeyboardEvent} event
 * @param {string} name
 */
function isKey({ key = "", code }, name) {
  if (key.toLowerCase() === name.toLowerCase()) return true;
  return /^[A-Z]$/.test(name) && !/^[a-z]$/i.test(key) && code === `Key${name}`;
}

/**
 * Whether a shortcut may act now.
 * @param {Shortcut} shortcut
 * @param {{isField: boolean, isBox: boolean, isEmpty: boolean, isModal: boolean, isOpen: boolean}} place where the key was pressed:
 * in a field, in the box of a message; and whether a dialog, or a menu or list, is open
 */
export function isDue({ when }, { isField, isBox, isEmpty, isModal, isOpen }) {
  if (isModal) return false;
  if (when === "outside") return !isField;
  if (when === "free") return !isOpen && (isBox || !isField);
  if (when === "empty") return !isOpen && isBox && isEmpty;
  return true;
}
