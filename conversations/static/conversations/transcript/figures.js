/**
 * A turn's time, tokens and cost: a quiet line below it, and behind that a table of its rounds and calls with bars along the turn's time.
 */
import { create, inside, svg } from "../lib/dom.js";
import { count, duration, quantity, visible } from "../lib/format.js";
import { costOf, money, sumOf } from "./cost.js";
import { isBlock } from "./layout.js";
import { inWords } from "./settings.js";
import { cachedAnewOf, cachedOf, isReported, leastTokens, readOf, tokensOf, writtenIn } from "./tokens.js";

const LEAST = "at least ";
const DASH = "–";
const HOW =
  "Where the gateway did not report the tokens, one is counted for every four characters of the answer, and none for what was read.";

/** @type {WeakMap<Element, Section>} */
const sections = new WeakMap();

/**
 * Brings the line up to date with a turn that has ended, and the table behind it where that is open.
 * @param {HTMLElement} foot
 * @param {Section} section
 */
export function drawFigures(foot, section) {
  const sum = inside(foot, ".sum");
  const { turn } = section;
  sum.hidden = !turn.rounds?.length || !turn.endedAt || turn.status === "waiting";
  if (sum.hidden) return fold(foot, false);
  if (sections.get(foot)?.turn !== turn) drawLine(sum, section);
  sections.set(foot, section);
  sum.onclick = () => toggle(foot);
  if (sum.ariaExpanded === "true") fold(foot, true);
}

/**
 * The time alone is in sight until somebody comes near.
 * @param {HTMLElement} sum
 * @param {Section} section
 */
function drawLine(sum, section) {
  const { before, time, after } = wordsOf(section);
  /** @param {string} words */
  const beyond = (words) => create("span", "beyond", words);
  const words = time ? [beyond(`${before}, `), time, beyond(after)] : [before, after];
  sum.replaceChildren(create("span", "", ...words));
}

/** @param {HTMLElement} foot */
function toggle(foot) {
  const open = inside(foot, ".sum").ariaExpanded !== "true";
  fold(foot, open);
  inside(foot, open ? ".figures" : ".sum").scrollIntoView({ block: "nearest", behavior: "instant" });
}

/**
 * @param {HTMLElement} foot
 * @param {boolean} open
 */
function fold(foot, open) {
  const figures = inside(foot, ".figures");
  inside(foot, ".sum").ariaExpanded = String(open);
  figures.hidden = !open;
  const section = sections.get(foot);
  if (!open || !section) return;
  const { settings } = section.turn;
  drawWaterfall(figures, rowsOf(section));
  if (settings) figures.append(cell("p", `Asked with ${inWords(settings)}`, { className: "hint" }));
}

/**
 * What a turn took, in words.
 * @param {Section} section
 */
export function lineOf(section) {
  const { before, time, after } = wordsOf(section);
  return (time ? `${before}, ${time}` : before) + after;
}

/** @param {Section} section */
function wordsOf(section) {
  const { startedAt = null, endedAt } = section.turn;
  const rounds = usages(section);
  const tokens = rounds.reduce((sum, { usage }) => sum + tokensOf(usage), 0);
  const cost = sumOf(rounds.filter(({ usage }) => usage).map(({ model, usage }) => costOf(model, usage)));
  const least = rounds.some(({ isLeast }) => isLeast) ? LEAST : "";
  const time = startedAt === null ? "" : duration(Math.max(0, (endedAt ?? 0) - startedAt));
  const used = [
    tokens ? least + quantity(tokens, "token") : least && `${DASH} tokens`,
    cost !== null && least + money(cost),
  ];
  const after = used.map((words) => words && `, ${words}`).filter(Boolean);
  return { before: quantity(rounds.length, "round"), time, after: after.join("") };
}

/**
 * The usage of each round: as it was reported, or the tokens that its text has at least; undefined where there is none.
 * @param {Section} section
 */
function usages({ turn, parts, blocks }) {
  const attempts = parts.flatMap((part) => (isBlock(part) ? [] : [part.blocks]));
  let whole = 0;
  return (turn.rounds ?? []).map(({ usage, model = turn.model, interrupted }) => {
    const round = interrupted ? -1 : whole++;
    const own = interrupted ? (attempts.shift() ?? []) : blocks.filter((block) => block.round === round);
    if (isReported(usage)) return { model, usage, isLeast: false };
    const written = leastTokens(own.map(({ message }) => writtenIn(message)));
    return { model, usage: written ? { outputTokens: written } : undefined, isLeast: true };
  });
}

/**
 * A round or a call: its times in ms, its tokens, and what it cost.
 * @typedef {{
 *   kind: string, name: string, begin: number, end: number, first?: number,
 *   read?: number, cached?: number, cachedAnew?: number, written?: number, cost: number | null, isLeast?: boolean,
 * }} Row
 */

/**
 * Rows of a turn, in the order of time.
 * @param {Section} section
 */
export function rowsOf(section) {
  const { turn, blocks } = section;
  const used = usages(section);
  const calls = Map.groupBy(
    blocks.filter(({ kind }) => kind === "tool"),
    ({ round }) => round,
  );
  let whole = 0;
  return (turn.rounds ?? []).flatMap((round, at) => {
    const row = roundRow(round, turn, used[at]);
    if (round.interrupted) return [row];
    const own = calls.get(whole++) ?? [];
    return [row, ...own.map((call) => callRow(call, round))];
  });
}

/**
 * @param {Round} round
 * @param {SectionTurn} turn
 * @param {{model?: string, usage?: Usage, isLeast: boolean}} used
 * @returns {Row}
 */
function roundRow({ name, startedAt, endedAt, firstTokenMs, interrupted }, turn, { model, usage, isLeast }) {
  const label = name.charAt(0).toUpperCase() + name.slice(1);
  return {
    kind: "round",
    name: interrupted ? `${label}, interrupted` : label,
    begin: startedAt ?? 0,
    end: endedAt ?? turn.endedAt ?? 0,
    first: firstTokenMs,
    ...(usage &&
      !isLeast && {
        read: readOf(usage),
        cached: cachedOf(usage),
        cachedAnew: cachedAnewOf(usage),
      }),
    written: usage && (usage.outputTokens ?? 0),
    cost: costOf(model, usage),
    isLeast,
  };
}

/**
 * @param {Block} call
 * @param {Round} round
 * @returns {Row}
 */
function callRow({ message, result }, { calledAt, endedAt }) {
  const begin = calledAt ?? endedAt ?? 0;
  const failed = result?.metadata.status === "error";
  const [call] = message.toolCalls ?? [];
  const name = visible(call.function.name);
  return {
    kind: failed ? "failed-call" : "call",
    name,
    begin,
    end: begin + (result?.metadata.durationMs ?? 0),
    cost: null,
  };
}

const WIDTH = 1000;
const NARROWEST = 6; // of WIDTH, so that the shortest can be seen

/** @type {(row: Row) => string} */
const span = ({ begin, end }) => duration(Math.max(0, end - begin));
/** @type {(key: keyof Row) => (row: Row) => boolean} */
const has = (key) => (row) => row[key] !== undefined && row[key] !== null;

/**
 * Columns: those that no row has anything for are left out.
 * @typedef {[name: string, isKnown: (row: Row) => boolean, show: (row: Row) => string]} Column
 * @type {Column[]}
 */
const COLUMNS = [
  ["First token", has("first"), ({ first = 0 }) => duration(first)],
  ["Time", has("end"), span],
  ["Tokens in", has("read"), ({ read = 0 }) => count(read)],
  ["Of them cached", ({ cached = 0 }) => cached > 0, ({ cached = 0 }) => count(cached)],
  ["Put into the cache", ({ cachedAnew = 0 }) => cachedAnew > 0, ({ cachedAnew = 0 }) => count(cachedAnew)],
  ["Tokens out", has("written"), ({ written = 0, isLeast }) => (isLeast ? LEAST : "") + count(written)],
  ["Cost", has("cost"), ({ cost, isLeast }) => (isLeast ? LEAST : "") + money(cost ?? 0)],
];

/**
 * Draws the rows in the element, anew.
 * @param {Element} element
 * @param {Row[]} rows
 */
export function drawWaterfall(element, rows) {
  const columns = COLUMNS.filter(([, isKnown]) => rows.some(isKnown));
  const begin = Math.min(...rows.map((row) => row.begin));
  const scale = WIDTH / Math.max(1, Math.max(...rows.map((row) => row.end)) - begin);
  const names = columns.map(([name]) => cell("th", name, { scope: "col" }));
  const head = create("tr", "", cell("th", "Step", { scope: "col" }), create("td"), ...names);
  const body = rows.map((row) => drawRow(row, columns, (time) => (time - begin) * scale));
  const caption = create("caption", "unseen", "What each round and tool call took");
  const table = create("table", "", caption, create("thead", "", head), create("tbody", "", ...body));
  const how = rows.some(({ isLeast }) => isLeast) ? [cell("p", HOW, { className: "hint" })] : [];
  element.replaceChildren(table, ...how);
}

/** @type {(row: Row, columns: Column[], at: (time: number) => number) => Element} */
function drawRow(row, columns, at) {
  const name = cell("th", row.name, { scope: "row" });
  const figures = columns.map(([, isKnown, show]) =>
    cell("td", isKnown(row) ? show(row) : row.isLeast ? DASH : ""),
  );
  return create("tr", row.kind, name, create("td", "course", bar(row, at)), ...figures);
}

/** @type {(tag: "th" | "td" | "p", text: string, properties?: object) => Element} */
const cell = (tag, text, properties = {}) => Object.assign(create(tag, "", text), properties);

/**
 * The bar of a row, which nobody has to see: the figures beside it say the same.
 * @param {Row} row
 * @param {(time: number) => number} at
 */
function bar(row, at) {
  const view = { viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: "none" };
  const drawing = svg("svg", { ...view, "aria-hidden": "true", class: "stretch" });
  const begin = Math.min(at(row.begin), WIDTH - NARROWEST);
  const width = Math.max(NARROWEST, at(row.end) - begin);
  drawing.append(svg("rect", { x: begin, y: 0, width, height: 10 }));
  const first = row.first && Math.min(width, at(row.begin + row.first) - begin);
  if (first) drawing.append(svg("rect", { x: begin, y: 0, width: first, height: 10, class: "before" }));
  return drawing;
}
