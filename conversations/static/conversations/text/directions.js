/**
 * Directions of text. A paragraph, a heading and a cell find theirs from their first letter (`dir=auto`). What they stand in cannot, since
 * `auto` passes over parts that have a direction: there the first letter is looked for here, and in an item whose list has the other
 * direction. Code and formulas are left to right.
 */
import { all } from "../lib/dom.js";

const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}\p{Script=Hanifi_Rohingya}\p{Script=Yezidi}]/u;

/**
 * The direction of a text, by its first letter; "" if it has none.
 * @param {string} text
 */
export function directionOf(text) {
  const letter = /\p{L}/u.exec(text)?.[0];
  if (!letter) return "";
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}

/**
 * Gives the parts of a text their directions.
 * @param {ParentNode} fragment
 */
export function direct(fragment) {
  for (const part of all(fragment, "code, pre, .math, .begun")) part.dir = "ltr";
  for (const part of all(fragment, "p, h2, h3, h4, h5, h6, th, td")) part.dir = "auto";
  for (const part of all(fragment, "ul, ol, table, blockquote")) directBlock(part);
  for (const item of all(fragment, "li")) directItem(item);
}

/** @param {HTMLElement} block */
function directBlock(block) {
  const direction = firstIn(block);
  if (direction) block.dir = direction;
}

/**
 * Directs an item that is not of its list's direction: its mark stands at the other side, for which the list leaves room.
 * @param {HTMLLIElement} item
 */
function directItem(item) {
  const direction = firstIn(item);
  const list = item.parentElement;
  if (!direction || !list || direction === list.dir) return;
  item.dir = direction;
  list.classList.add("mixed");
}

/**
 * The direction of a part, by the first letter in it that is read; "" if it has none.
 * @param {Element} part
 */
export function firstIn(part) {
  /** @type {(node: Node) => number} */
  const isRead = ({ parentElement }) =>
    parentElement?.closest("code, .math, .begun") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT, isRead);
  let direction = "";
  while (!direction && walker.nextNode()) direction = directionOf(walker.currentNode.textContent ?? "");
  return direction;
}
