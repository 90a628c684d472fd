/**
 * Rounds and calls as a table, each with its place in the turn's time as a bar.
 */
import { count, money } from "./cost.js";
import { create, svg } from "../lib/dom.js";
import { duration } from "../lib/duration.js";

const WIDTH = 1000;
const LEAST = 6; // of WIDTH, so that what took no time can be seen

const span = ({ begin, end }) => duration(Math.max(0, end - begin));
const known = (key) => (row) => row[key] !== undefined && row[key] !== null;

// Columns that no row has anything for are left out.
const COLUMNS = [
  ["First token", known("first"), ({ first }) => duration(first)],
  ["Time", known("end"), span],
  ["Tokens in", known("read"), ({ read }) => count(read)],
  ["Of them cached", ({ cached }) => cached > 0, ({ cached }) => count(cached)],
  ["Tokens out", known("written"), ({ written }) => count(written)],
  ["Cost", known("cost"), ({ cost }) => money(cost)],
];

/** Draws the rows in the element, anew. */
export function drawWaterfall(element, rows) {
  const columns = COLUMNS.filter(([, told]) => rows.some(told));
  const begin = Math.min(...rows.map((row) => row.begin));
  const scale = WIDTH / Math.max(1, Math.max(...rows.map((row) => row.end)) - begin);
  const names = columns.map(([name]) => cell("th", name, { scope: "col" }));
  const head = create("tr", "", cell("th", "Step", { scope: "col" }), create("td"), ...names);
  const body = rows.map((row) => drawRow(row, columns, (time) => (time - begin) * scale));
  const caption = create("caption", "unseen", "What each round and tool call took");
  element.replaceChildren(create("table", "", caption, create("thead", "", head), create("tbody", "", ...body)));
}

function drawRow(row, columns, at) {
  const name = cell("th", row.name, { scope: "row" });
  const figures = columns.map(([, told, show]) => cell("td", told(row) ? show(row) : ""));
  return create("tr", row.kind, name, create("td", "course", bar(row, at)), ...figures);
}

const cell = (tag, text, properties = {}) => Object.assign(create(tag, "", text), properties);

// The figures beside it say the same: nobody has to see it.
function bar(row, at) {
  const view = { viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: "none" };
  const drawing = svg("svg", { ...view, "aria-hidden": "true", class: "stretch" });
  const begin = Math.min(at(row.begin), WIDTH - LEAST);
  const width = Math.max(LEAST, at(row.end) - begin);
  drawing.append(svg("rect", { x: begin, y: 0, width, height: 10 }));
  const first = row.first && Math.min(width, at(row.begin + row.first) - begin);
  if (first > 0) drawing.append(svg("rect", { x: begin, y: 0, width: first, height: 10, class: "before" }));
  return drawing;
}
