/**
 * The tab's title: the page's name, behind the number of calls that wait for the reader.
 */

import { inside } from "./dom.js";

/** @param {number} number */
const prefix = (number) => (number ? `(${number}) ` : "");

/** The number that the title says now. */
const counted = () => Number(inside(document, "title").dataset.waiting ?? 0);

/**
 * Names the tab.
 * @param {string} name
 */
export function nameTab(name) {
  document.title = prefix(counted()) + name;
}

/**
 * Puts the number before the tab's name; nothing before it if it is 0.
 * @param {number} number
 */
export function countInTab(number) {
  const name = document.title.slice(prefix(counted()).length);
  inside(document, "title").dataset.waiting = String(number);
  nameTab(name);
}
