/**
 * The dialog that lists the shortcuts.
 */
import { openDialog } from "../lib/dialog.js";
import { create } from "../lib/dom.js";
import { isApple, keysOf, namesOf, SHORTCUTS } from "./table.js";

/** @typedef {import("./table.js").Shortcut} Shortcut */

/** Opens it. */
export function openSheet() {
  const apple = isApple();
  const groups = [...new Set(SHORTCUTS.map(({ group }) => group))];
  return openDialog("Keyboard shortcuts", ...groups.flatMap((group) => drawGroup(group, apple)));
}

/**
 * @param {string} group
 * @param {boolean} apple
 */
function drawGroup(group, apple) {
  const rows = SHORTCUTS.filter((shortcut) => shortcut.group === group);
  return [
    create("h3", "", group),
    create("dl", "shortcuts", ...rows.map((shortcut) => drawRow(shortcut, apple))),
  ];
}

/**
 * @param {Shortcut} shortcut
 * @param {boolean} apple
 */
function drawRow(shortcut, apple) {
  const combinations = keysOf(shortcut, apple).map((keys) => drawKeys(namesOf(keys, apple), apple));
  return create(
    "div",
    "",
    create("dt", "", shortcut.does),
    create("dd", "", ...between(combinations, " or ")),
  );
}

/**
 * @param {string[]} names
 * @param {boolean} apple
 */
function drawKeys(names, apple) {
  const keys = names.map((name) => create("kbd", "", name));
  return create("span", "combination", ...between(keys, apple ? "" : "+"));
}

/**
 * @param {Node[]} nodes
 * @param {string} text
 * @returns {(Node | string)[]}
 */
const between = (nodes, text) => nodes.flatMap((node, index) => (index ? [text, node] : [node]));
