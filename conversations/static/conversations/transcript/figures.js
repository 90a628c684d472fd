/**
 * A turn's time, tokens and cost: a quiet line below it, and behind that a table of its rounds and calls with bars along the turn's time.
 */
import { create, svg } from "../lib/dom.js";
import { count, duration, quantity, visible } from "../lib/format.js";
import { cachedOf, costOf, money, readOf, sumOf, tokensOf } from "./cost.js";

const sections = new WeakMap();

/** Brings the line in line with a turn that has ended, and what stands behind it where that is open. */
export function drawFigures(foot, section) {
  const sum = foot.querySelector(".sum");
  const { turn } = section;
  sum.hidden = !turn.rounds?.length || !turn.endedAt || turn.status === "waiting";
  if (sum.hidden) return fold(foot, false);
  if (sections.get(foot)?.turn !== turn) sum.textContent = lineOf(turn);
  sections.set(foot, section);
  sum.onclick = () => toggle(foot);
  if (sum.ariaExpanded === "true") fold(foot, true);
}

function toggle(foot) {
  const open = foot.querySelector(".sum").ariaExpanded !== "true";
  fold(foot, open);
  foot.querySelector(open ? ".figures" : ".sum").scrollIntoView({ block: "nearest", behavior: "instant" });
}

function fold(foot, open) {
  const figures = foot.querySelector(".figures");
  foot.querySelector(".sum").ariaExpanded = String(open);
  figures.hidden = !open;
  if (open) drawWaterfall(figures, rowsOf(sections.get(foot)));
}

const costs = (rounds) => rounds.filter(({ usage }) => usage).map(({ model, usage }) => costOf(model, usage));

function lineOf({ rounds, startedAt, endedAt }) {
  const tokens = rounds.reduce((sum, { usage }) => sum + tokensOf(usage), 0);
  const cost = sumOf(costs(rounds));
  const time = startedAt === null ? "" : duration(Math.max(0, endedAt - startedAt));
  const usage = [tokens && quantity(tokens, "token"), cost !== null && money(cost)];
  return [quantity(rounds.length, "round"), time, ...usage].filter(Boolean).join(", ");
}

/**
 * Rows `{kind, name, begin, end, first?, read?, cached?, written?, cost?}` of a turn, in the order of time.
 * @param {Section} section
 */
export function rowsOf({ turn, blocks }) {
  const calls = Map.groupBy(
    blocks.filter(({ kind }) => kind === "tool"),
    ({ round }) => round,
  );
  let whole = 0;
  return turn.rounds.flatMap((round) => {
    const row = roundRow(round, turn);
    if (round.interrupted) return [row];
    const own = calls.get(whole++) ?? [];
    return [row, ...own.map((call) => callRow(call, round))];
  });
}

/**
 * @param {Round} round
 * @param {SectionTurn} turn
 */
function roundRow({ name, startedAt, endedAt, firstTokenMs, usage, model, interrupted }, turn) {
  const label = name.charAt(0).toUpperCase() + name.slice(1);
  return {
    kind: "round",
    name: interrupted ? `${label}, interrupted` : label,
    begin: startedAt,
    end: endedAt ?? turn.endedAt,
    first: firstTokenMs,
    ...(usage && { read: readOf(usage), cached: cachedOf(usage), written: usage.outputTokens ?? 0 }),
    cost: costOf(model, usage),
  };
}

/**
 * @param {Block} call
 * @param {Round} round
 */
function callRow({ message, result }, { calledAt, endedAt }) {
  const begin = calledAt ?? endedAt;
  const failed = result?.metadata.status === "error";
  const name = visible(message.toolCalls[0].function.name);
  return {
    kind: failed ? "failed-call" : "call",
    name,
    begin,
    end: begin + (result?.metadata.durationMs ?? 0),
    cost: null,
  };
}

const WIDTH = 1000;
const LEAST = 6; // of WIDTH, so that the shortest can be seen

const span = ({ begin, end }) => duration(Math.max(0, end - begin));
const has = (key) => (row) => row[key] !== undefined && row[key] !== null;

// Columns that no row has anything for are left out.
const COLUMNS = [
  ["First token", has("first"), ({ first }) => duration(first)],
  ["Time", has("end"), span],
  ["Tokens in", has("read"), ({ read }) => count(read)],
  ["Of them cached", ({ cached }) => cached > 0, ({ cached }) => count(cached)],
  ["Tokens out", has("written"), ({ written }) => count(written)],
  ["Cost", has("cost"), ({ cost }) => money(cost)],
];

/** Draws the rows in the element, anew. */
export function drawWaterfall(element, rows) {
  const columns = COLUMNS.filter(([, isKnown]) => rows.some(isKnown));
  const begin = Math.min(...rows.map((row) => row.begin));
  const scale = WIDTH / Math.max(1, Math.max(...rows.map((row) => row.end)) - begin);
  const names = columns.map(([name]) => cell("th", name, { scope: "col" }));
  const head = create("tr", "", cell("th", "Step", { scope: "col" }), create("td"), ...names);
  const body = rows.map((row) => drawRow(row, columns, (time) => (time - begin) * scale));
  const caption = create("caption", "unseen", "What each round and tool call took");
  element.replaceChildren(
    create("table", "", caption, create("thead", "", head), create("tbody", "", ...body)),
  );
}

function drawRow(row, columns, at) {
  const name = cell("th", row.name, { scope: "row" });
  const figures = columns.map(([, isKnown, show]) => cell("td", isKnown(row) ? show(row) : ""));
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
