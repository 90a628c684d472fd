/**
 * JSON as a list of keys and values that can be unfolded: what is folded or long comes onto the page when the reader opens it.
 */
import { button, create, fill } from "../lib/dom.js";
import { beginning, visible } from "../lib/format.js";

const STEP = 100; // entries
const LONG = 600; // characters of a string that are text unasked
const FEW = 6; // values of a list that stand in one line
const SHORT = 24;
const GIST = 4; // keys that a folded object names
const GIST_LENGTH = 60;

/**
 * Whether a node is an object or array that is not empty.
 * @param {JSONNode} node
 * @returns {node is JSONTree}
 */
export const hasEntries = (node) => Boolean(node.entries?.length);

/**
 * The entries of an object or array; what is in them is unfolded for so many levels.
 * @param {JSONTree} node
 * @param {number} levels
 */
export function drawEntries(node, levels) {
  const box = create("div", "json");
  const list = create("ul");
  const { entries } = node;
  box.append(list, ...fill(list, entries.length, (index) => item(...entries[index], levels), STEP));
  return box;
}

/**
 * @param {JSONKey} key
 * @param {JSONNode} node
 * @param {number} levels
 */
function item(key, node, levels) {
  if (!hasEntries(node)) return create("li", "leaf", name(key), drawValue(node));
  const line = inLine(node);
  return line ? create("li", "leaf", name(key), line) : create("li", "", branch(key, node, levels));
}

/**
 * What stands in a table's cell: a value, a few of them in a line, or more to unfold.
 * @param {JSONNode} node
 */
export const drawCell = (node) =>
  hasEntries(node) ? (inLine(node) ?? unfoldable(node, "", 0)) : drawValue(node);

/**
 * A few short values in one line; null where they are more, or longer.
 * @param {JSONTree} node
 */
function inLine({ kind, entries }) {
  if (
    kind !== "array" ||
    entries.length > FEW ||
    entries.some(([, one]) => hasEntries(one) || one.text.length > SHORT)
  )
    return null;
  const texts = entries.map(([, one]) => textOf(one));
  return texts.some((text) => text.includes(","))
    ? null
    : create("span", "value", visible(`[${texts.join(", ")}]`));
}

/** @param {JSONKey} key */
function name(key) {
  const text = key === "" ? '""' : visible(String(key));
  return create("span", typeof key === "number" ? "key index" : "key", text);
}

/**
 * @param {JSONKey} key
 * @param {JSONTree} node
 * @param {number} levels
 */
const branch = (key, node, levels) => unfoldable(node, name(key), levels);

/**
 * @param {JSONTree} node
 * @param {Node | string} before
 * @param {number} levels
 */
function unfoldable(node, before, levels) {
  const summary = create("summary", "fold", before, create("span", "gist", gist(node)));
  const details = create("details", "branch", summary);
  const unfold = () =>
    details.open && details.children.length === 1 && details.append(drawEntries(node, levels - 1));
  details.open = levels > 0;
  unfold();
  details.addEventListener("toggle", unfold);
  return details;
}

/** @param {JSONTree} node */
function gist({ kind, entries }) {
  const { length } = entries;
  if (kind === "array") return length === 1 ? "1 item" : `${length.toLocaleString("en")} items`;
  const keys = entries
    .slice(0, GIST)
    .map(([key]) => key)
    .join(", ");
  return visible(keys.length < GIST_LENGTH && length <= GIST ? keys : `${beginning(keys, GIST_LENGTH)} …`);
}

/**
 * Draws a value without entries; a text has no quotes unless it could then be taken for something else.
 * @param {JSONNode} node
 */
export function drawValue(node) {
  const text = visible(textOf(node));
  const value = create("span", `value ${node.kind}`, beginning(text, LONG));
  if (text.length <= LONG) return value;
  value.append(
    "…",
    button("quiet further", `Show all ${text.length.toLocaleString("en")} characters`, () => {
      value.textContent = text;
      value.tabIndex = -1;
      value.focus();
    }),
  );
  return value;
}

const MISTAKEN = /^$|^\s|\s$|^["{[]|^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$|^(?:true|false|null)$/;

/**
 * What a node without entries says.
 * @param {JSONNode} node
 */
export function textOf(node) {
  if (node.kind === "object") return "{}";
  if (node.kind === "array") return "[]";
  if (node.kind !== "string") return node.text;
  const text = JSON.parse(node.text);
  return MISTAKEN.test(text) ? node.text : text;
}
