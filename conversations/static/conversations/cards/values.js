/**
 * A tool's arguments or result in the form that suits them: pictures, a table, keys and values, or text.
 */
import { create } from "../lib/dom.js";
import { foldLines } from "../lib/folding.js";
import { visible } from "../lib/format.js";
import { parseNodes } from "../lib/json.js";
import { drawEntries } from "./entries.js";
import { drawPicture, pictureOf } from "./pictures.js";
import { drawTable, tableOf } from "./table.js";

const SHORT = 2000; // characters of JSON that are shown unfolded
const UNFOLDED = 6; // levels of it
const MOST_PARTS = 12;
const MOST_LINES = 1000;

/** The text as elements; an empty list where it had better be shown as it is. */
export function drawValues(text, tool) {
  const whole = drawPart(text, tool);
  if (whole) return [whole];
  const parts = partsOf(text).map((part) => drawPart(part, tool) ?? part);
  return parts.some((part) => typeof part !== "string") ? parts.map(asElement) : [];
}

const asElement = (part) => (typeof part === "string" ? paragraph(part) : part);

function paragraph(text) {
  const whole = create("p", "paragraph", visible(text));
  const box = create("div", "paragraphs", whole);
  foldLines(whole);
  return box;
}

// A result of several blocks comes as lines, JSON and pictures one line each.
function partsOf(text) {
  const lines = text.split("\n");
  const apart = lines.filter((line) => /^[{[]/.test(line)).length;
  if (apart === 0 || apart > MOST_PARTS || lines.length > MOST_LINES) return [];
  const parts = [];
  for (const line of lines) {
    if (/^[{[]/.test(line) || /^[{[]/.test(parts.at(-1) ?? "{")) parts.push(line);
    else parts.push(`${parts.pop()}\n${line}`);
  }
  return parts;
}

function drawPart(text, tool) {
  const picture = pictureOf(text);
  if (picture) return drawPicture(picture, tool);
  const node = /^\s*[{[]/.test(text) ? parseNodes(text) : null;
  return node?.entries?.length ? drawNode(node, text.length <= SHORT ? UNFOLDED : 0) : null;
}

function drawNode(node, levels) {
  const table = tableOf(node);
  if (table) return drawTable(table);
  const list = node.kind === "object" && onlyList(node);
  return list ? withTable(node, list, levels) : drawEntries(node, levels);
}

// The one table in an object. Beside other things that hold values it has two rows at least.
function onlyList({ entries }) {
  const containers = entries.filter(([, inner]) => inner.entries?.length);
  const least = containers.length === 1 ? 1 : 2;
  const tables = containers.filter(([, inner]) => inner.entries.length >= least && tableOf(inner));
  return tables.length === 1 ? tables[0] : null;
}

function withTable(node, list, levels) {
  const rest = { kind: "object", entries: node.entries.filter((entry) => entry !== list) };
  const [key, inner] = list;
  const box = create("div", "with-table");
  if (rest.entries.length) box.append(drawEntries(rest, levels));
  box.append(create("p", "caption", visible(key)), drawTable(/** @type {any} */ (tableOf(inner))));
  return box;
}
