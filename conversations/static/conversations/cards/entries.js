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

/** The entries of an object or array; what is in them is unfolded for so many levels. */
export function drawEntries(node, levels) {
  const box = create("div", "json");
  const list = create("ul");
  const { entries } = node;
  box.append(list, ...fill(list, entries.length, (index) => item(...entries[index], levels), STEP));
  return box;
}

function item(key, node, levels) {
  const line = node.entries?.length ? inLine(node) : drawValue(node);
  return line ? create("li", "leaf", name(key), line) : create("li", "", branch(key, node, levels));
}

/** What stands in a table's cell: a value, a few of them in a line, or more to unfold. */
export const drawCell = (node) =>
  node.entries?.length ? (inLine(node) ?? unfoldable(node, "", 0)) : drawValue(node);

// A few short values in one line.
function inLine({ kind, entries }) {
  if (
    kind !== "array" ||
    entries.length > FEW ||
    entries.some(([, one]) => one.entries?.length || one.text.length > SHORT)
  )
    return null;
  const texts = entries.map(([, one]) => textOf(one));
  return texts.some((text) => text.includes(","))
    ? null
    : create("span", "value", visible(`[${texts.join(", ")}]`));
}

function name(key) {
  const text = key === "" ? '""' : visible(String(key));
  return create("span", typeof key === "number" ? "key index" : "key", text);
}

const branch = (key, node, levels) => unfoldable(node, name(key), levels);

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

function gist({ kind, entries }) {
  const { length } = entries;
  if (kind === "array") return length === 1 ? "1 item" : `${length.toLocaleString("en")} items`;
  const keys = entries
    .slice(0, GIST)
    .map(([key]) => key)
    .join(", ");
  return visible(keys.length < GIST_LENGTH && length <= GIST ? keys : `${beginning(keys, GIST_LENGTH)} …`);
}

/** A value that has no entries, as it was written; a text without its quotes, unless it could be taken for something else then. */
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

/** What a node without entries says. */
export function textOf(node) {
  if (node.kind === "object") return "{}";
  if (node.kind === "array") return "[]";
  if (node.kind !== "string") return node.text;
  const text = JSON.parse(node.text);
  return MISTAKEN.test(text) ? node.text : text;
}
