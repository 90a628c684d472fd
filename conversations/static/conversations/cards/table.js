/**
 * A list of objects of one shape as a table that can be sorted.
 */
import { button, create, fill } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { drawCell, textOf } from "./entries.js";

const STEP = 50; // rows
const MOST_COLUMNS = 30;

/** The table that a node is: `{columns, rows}`, a row a Map of nodes by column; null when it is none. */
export function tableOf({ kind, entries }) {
  if (kind !== "array" || !entries.length || entries.some(([, row]) => row.kind !== "object")) return null;
  const rows = entries.map(([, row]) => new Map(row.entries));
  if (rows.some((row, index) => !row.size || row.size < entries[index][1].entries.length)) return null;
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return columns.length <= MOST_COLUMNS && isOneShape(columns, rows) ? { columns, rows } : null;
}

// Half of the cells are filled, a column holds either single values or lists or objects, and most hold single ones.
function isOneShape(columns, rows) {
  const filled = rows.reduce((sum, row) => sum + row.size, 0);
  const kinds = columns.map((column) => new Set(rows.map((row) => formOf(row.get(column))).filter(Boolean)));
  const nested = kinds.filter((forms) => forms.has("object") || forms.has("array")).length;
  const isRegular = kinds.every((forms) => forms.size <= 1);
  return isRegular && 2 * filled >= rows.length * columns.length && 2 * nested <= columns.length;
}

// Empty ones may stand for either.
function formOf(node) {
  if (!node || node.text === "null" || node.entries?.length === 0) return "";
  return node.entries ? node.kind : "single";
}

/** Draws the table; a press on a column's head sorts by it, another turns the order round, a third brings the first one back. */
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
  const show = (sorted) => {
    body.replaceChildren();
    scroll.nextElementSibling?.remove();
    box.append(...fill(body, sorted.length, (index) => line(columns, numeric, sorted[index]), STEP));
  };
  const sort = (column, direction) => {
    for (const [index, cell] of heads.entries()) mark(cell, columns[index] === column ? direction : "");
    show(direction ? rows.toSorted(by(column, direction)) : rows);
  };
  show(rows);
  return box;
}

const count = (rows) => (rows === 1 ? "1 row" : `${rows.toLocaleString("en")} rows`);
const isNumeric = (node) => !node || node.kind === "number" || node.text === "null";

const NEXT = { "": "ascending", ascending: "descending", descending: "" };

function head(column, isNumber, sort) {
  const cell = create("th", isNumber ? "number" : "");
  cell.scope = "col";
  cell.append(button("", visible(column) || '""', () => sort(NEXT[cell.ariaSort ?? ""])));
  return cell;
}

function mark(cell, direction) {
  cell.ariaSort = direction || null;
}

function line(columns, numeric, row) {
  const cells = columns.map((column) => {
    const node = row.get(column);
    return create("td", numeric.has(column) ? "number" : "", ...(node ? [drawCell(node)] : []));
  });
  return create("tr", "", ...cells);
}

const words = new Intl.Collator(undefined, { numeric: true });
const WHOLE = /^-?\d{1,400}$/;

// What is missing comes last, whichever way.
function by(column, direction) {
  const turn = direction === "descending" ? -1 : 1;
  const isMissing = (node) => !node || node.text === "null";
  return (one, other) => {
    const [a, b] = [one.get(column), other.get(column)];
    if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b));
    return turn * compare(a, b);
  };
}

function compare(a, b) {
  if (a.entries || b.entries) return (a.entries?.length ?? 0) - (b.entries?.length ?? 0);
  if (a.kind !== "number" || b.kind !== "number") return words.compare(textOf(a), textOf(b));
  const difference = Number(a.text) - Number(b.text);
  if (difference || !WHOLE.test(a.text) || !WHOLE.test(b.text)) return difference || 0;
  return Number(BigInt.asIntN(64, BigInt(a.text) - BigInt(b.text))); // numbers too long to differ as floats
}
