/**
 * A list of objects of one shape as a table that can be sorted.
 */
import { button, create, fill } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { drawCell, textOf } from "./entries.js";

const STEP = 50; // rows
const MOST_COLUMNS = 30;

/** @typedef {Map<JSONKey, JSONNode>} Row */
/** @typedef {{columns: JSONKey[], rows: Row[]}} Table */

/**
 * The table that a node is, null when it is none.
 * @param {JSONNode} node
 * @returns {Table | null}
 */
export function tableOf({ kind, entries = [] }) {
  if (kind !== "array" || !entries.length || entries.some(([, row]) => row.kind !== "object")) return null;
  const rows = entries.map(([, row]) => new Map(row.entries));
  if (rows.some((row, index) => !row.size || row.size !== entries[index][1].entries?.length)) return null;
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return columns.length <= MOST_COLUMNS && isOneShape(columns, rows) ? { columns, rows } : null;
}

/**
 * Whether half of the cells are filled, each column holds either single values or lists or objects, and most hold single ones.
 * @param {JSONKey[]} columns
 * @param {Row[]} rows
 */
function isOneShape(columns, rows) {
  const filled = rows.reduce((sum, row) => sum + row.size, 0);
  const kinds = columns.map((column) => new Set(rows.map((row) => formOf(row.get(column))).filter(Boolean)));
  const nested = kinds.filter((forms) => forms.has("object") || forms.has("array")).length;
  const isRegular = kinds.every((forms) => forms.size <= 1);
  return isRegular && 2 * filled >= rows.length * columns.length && 2 * nested <= columns.length;
}

/**
 * What a cell holds: "single", "object" or "array"; "" where it is empty, which fits each.
 * @param {JSONNode | undefined} node
 */
function formOf(node) {
  if (!node || node.text === "null" || node.entries?.length === 0) return "";
  return node.entries ? node.kind : "single";
}

/**
 * Draws the table; a press on a column's head sorts by it, another turns the order round, a third brings the first one back.
 * @param {Table} table
 */
export function drawTable({ columns, rows }) {
  const box = create("div", "table");
  const body = create("tbody");
  const numeric = new Set(columns.filter((column) => rows.every((row) => isNumeric(row.get(column)))));
  const heads = columns.map((column) =>
    head(column, numeric.has(column), (direction) => sort(column, direction)),
  );
  const scroll = create(
    "div",
    "scroll",
    create("table", "", create("thead", "", create("tr", "", ...heads)), body),
  );
  box.append(scroll);
  scroll.tabIndex = 0;
  scroll.role = "group";
  scroll.ariaLabel = `Table of ${count(rows.length)}`;
  /** @type {(sorted: Row[]) => void} */
  const show = (sorted) => {
    body.replaceChildren();
    scroll.nextElementSibling?.remove();
    box.append(...fill(body, sorted.length, (index) => line(columns, numeric, sorted[index]), STEP));
  };
  /** @type {(column: JSONKey, direction: string) => void} */
  const sort = (column, direction) => {
    for (const [index, cell] of heads.entries()) mark(cell, columns[index] === column ? direction : "");
    show(direction ? rows.toSorted(by(column, direction)) : rows);
  };
  show(rows);
  return box;
}

/** @param {number} rows */
const count = (rows) => (rows === 1 ? "1 row" : `${rows.toLocaleString("en")} rows`);
/** @param {JSONNode | undefined} node */
const isNumeric = (node) => !node || node.kind === "number" || node.text === "null";

/** @type {Record<string, string>} */
const NEXT = { "": "ascending", ascending: "descending", descending: "" };

/**
 * @param {JSONKey} column
 * @param {boolean} isNumber
 * @param {(direction: string) => void} sort
 */
function head(column, isNumber, sort) {
  const cell = create("th", isNumber ? "number" : "");
  cell.scope = "col";
  cell.append(button("", visible(String(column)) || '""', () => sort(NEXT[cell.ariaSort ?? ""])));
  return cell;
}

/**
 * @param {HTMLElement} cell
 * @param {string} direction
 */
function mark(cell, direction) {
  cell.ariaSort = direction || null;
}

/**
 * @param {JSONKey[]} columns
 * @param {Set<JSONKey>} numeric
 * @param {Row} row
 */
function line(columns, numeric, row) {
  const cells = columns.map((column) => {
    const node = row.get(column);
    return create("td", numeric.has(column) ? "number" : "", ...(node ? [drawCell(node)] : []));
  });
  return create("tr", "", ...cells);
}

const words = new Intl.Collator(undefined, { numeric: true });
const WHOLE = /^-?\d{1,400}$/;

/**
 * Compares rows by a column; what is missing comes last, whichever way.
 * @param {JSONKey} column
 * @param {string} direction
 * @returns {(one: Row, other: Row) => number}
 */
function by(column, direction) {
  const turn = direction === "descending" ? -1 : 1;
  /** @param {Row} row */
  const valueIn = (row) => {
    const node = row.get(column);
    return node?.text === "null" ? undefined : node;
  };
  return (one, other) => {
    const [a, b] = [valueIn(one), valueIn(other)];
    return a && b ? turn * compare(a, b) : Number(!a) - Number(!b);
  };
}

/**
 * @param {JSONNode} a
 * @param {JSONNode} b
 */
function compare(a, b) {
  if (a.entries || b.entries) return (a.entries?.length ?? 0) - (b.entries?.length ?? 0);
  if (a.kind !== "number" || b.kind !== "number") return words.compare(textOf(a), textOf(b));
  const difference = Number(a.text) - Number(b.text);
  if (difference || !WHOLE.test(a.text) || !WHOLE.test(b.text)) return difference || 0;
  return Number(BigInt.asIntN(64, BigInt(a.text) - BigInt(b.text))); // numbers too long to differ as floats
}
