/**
 * A tool's arguments or result in the form that suits them: pictures, a table, keys and values, or text.
 */
import { create } from "../lib/dom.js";
import { foldLines } from "../lib/folding.js";
import { visible } from "../lib/format.js";
import { parseNodes } from "../lib/json.js";
import { drawEntries, hasEntries } from "./entries.js";
import { drawPicture, pictureOf } from "./pictures.js";
import { drawTable, tableOf } from "./table.js";

/** @typedef {import("./table.js").Table} Table */

const SHORT = 2000; // characters of JSON that are shown unfolded
const UNFOLDED = 6; // levels of it
const MOST_PARTS = 12;
const MOST_LINES = 1000;

/**
 * The text as elements; an empty list where it had better be shown as it is.
 * @param {string} text
 * @param {string} tool
 */
export function drawValues(text, tool) {
  const whole = drawPart(text, tool);
  if (whole) return [whole];
  const parts = partsOf(text).map((part) => drawPart(part, tool) ?? part);
  return parts.some((part) => typeof part !== "string") ? parts.map(asElement) : [];
}

/** @param {HTMLElement | string} part */
const asElement = (part) => (typeof part === "string" ? paragraph(part) : part);

/** @param {string} text */
function paragraph(text) {
  const whole = create("p", "paragraph", visible(text));
  const box = create("div", "paragraphs", whole);
  foldLines(whole);
  return box;
}

/**
 * The parts of a result of several blocks: JSON and pictures are one line each.
 * @param {string} text
 */
function partsOf(text) {
  const lines = text.split("\n");
  const jsonLines = lines.filter((line) => /^[{[]/.test(line)).length;
  if (jsonLines === 0 || jsonLines > MOST_PARTS || lines.length > MOST_LINES) return [];
  /** @type {string[]} */
  const parts = [];
  for (const line of lines) {
    if (/^[{[]/.test(line) || /^[{[]/.test(parts.at(-1) ?? "{")) parts.push(line);
    else parts.push(`${parts.pop()}\n${line}`);
  }
  return parts;
}

/**
 * @param {string} text
 * @param {string} tool
 */
function drawPart(text, tool) {
  const picture = pictureOf(text);
  if (picture) return drawPicture(picture, tool);
  const node = /^\s*[{[]/.test(text) ? parseNodes(text) : null;
  return node && hasEntries(node) ? drawNode(node, text.length <= SHORT ? UNFOLDED : 0) : null;
}

/**
 * @param {JSONTree} node
 * @param {number} levels
 */
function drawNode(node, levels) {
  const table = tableOf(node);
  if (table) return drawTable(table);
  const only = node.kind === "object" && onlyTable(node);
  return only ? withTable(node, only, levels) : drawEntries(node, levels);
}

/**
 * The one table in an object. Beside other things that hold values it has two rows at least.
 * @param {JSONTree} node
 */
function onlyTable({ entries }) {
  const containers = entries.filter(([, inner]) => hasEntries(inner));
  const least = containers.length === 1 ? 1 : 2;
  const tables = containers.flatMap((entry) => {
    const table = tableOf(entry[1]);
    return table && table.rows.length >= least ? [{ entry, table }] : [];
  });
  return tables.length === 1 ? tables[0] : null;
}

/**
 * @param {JSONTree} node
 * @param {{entry: JSONEntry, table: Table}} only
 * @param {number} levels
 */
function withTable(node, { entry, table }, levels) {
  const rest = { ...node, entries: node.entries.filter((one) => one !== entry) };
  const box = create("div", "with-table");
  if (rest.entries.length) box.append(drawEntries(rest, levels));
  box.append(create("p", "caption", visible(String(entry[0]))), drawTable(table));
  return box;
}
