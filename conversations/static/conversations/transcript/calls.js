/**
 * The calls of a round, which run at the same time: their group, and their times as lanes.
 */
import { create, inside, setText, svg } from "../lib/dom.js";
import { beginning, duration, visible } from "../lib/format.js";
import { isBlock } from "./layout.js";

const FEW = 6; // calls whose times are open at first

/**
 * A turn's parts with the calls of a round in a group `{key, calls}`; a call knows what it waits for.
 * @param {Section} section
 */
export function groupCalls({ parts, turn }) {
  /** @type {(Part | CallGroup)[]} */
  const groups = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (!isBlock(part) || part.kind !== "tool") groups.push(part);
    else if (last && "calls" in last && last.calls[0].round === part.round)
      last.calls.push(withTurn(part, turn));
    else groups.push({ key: `calls:${part.id}`, calls: [withTurn(part, turn)] });
  }
  return groups;
}

/**
 * @param {Block} block
 * @param {SectionTurn} turn
 * @returns {Block}
 */
function withTurn(block, turn) {
  const [{ id }] = block.message.toolCalls ?? [];
  const interrupt = turn.interrupts?.find(({ toolCallId }) => toolCallId === id);
  return { ...block, interrupt, since: turn.rounds?.at(-1)?.calledAt, status: turn.status };
}

/**
 * Brings what stands above a round's calls in line with them: how many there are, and when all have ended, their times.
 * @param {HTMLElement} group
 * @param {Block[]} calls
 */
export function drawCalls(group, calls) {
  const count = calls.length;
  group.dataset.count = String(Math.min(count, 3));
  const heading = inside(group, ".heading");
  heading.hidden = count < 2;
  setText(heading, heading.hidden ? "" : `${count} calls at the same time`);
  /** @type {HTMLDetailsElement} */
  const times = inside(group, ".lanes");
  times.hidden = count < 2 || !calls.every(({ result }) => result?.metadata.durationMs !== undefined);
  if (times.hidden || times.dataset.drawn === String(count)) return;
  times.dataset.drawn = String(count);
  times.open = count <= FEW;
  drawTimes(times, calls.map(timeOf));
}

/** @param {Block} call */
function timeOf({ message, result }) {
  const [{ function: call }] = message.toolCalls ?? [];
  const { name, arguments: text } = call;
  return { name: visible(name), input: visible(beginning(text, 60)), ms: result?.metadata.durationMs ?? 0 };
}

/** @typedef {ReturnType<typeof timeOf>} Lane */

/**
 * @param {HTMLElement} times
 * @param {Lane[]} lanes
 */
function drawTimes(times, lanes) {
  const longest = Math.max(...lanes.map(({ ms }) => ms));
  setText(inside(times, ".longest"), `Times, ${duration(longest)} in all`);
  inside(times, "ol").replaceChildren(...lanes.map((lane) => drawLane(lane, longest)));
}

/**
 * @param {Lane} lane
 * @param {number} longest
 */
function drawLane({ name, input, ms }, longest) {
  const width = `${Math.max(1, (100 * ms) / (longest || 1)).toFixed(1)}%`;
  const bar = svg("rect", { width, height: "100%", rx: 2 });
  const lane = svg("svg", { class: "lane", "aria-hidden": "true" }, bar);
  return create(
    "li",
    "",
    create("code", "", name, create("span", "call-arguments", ` ${input}`)),
    lane,
    create("span", "took", duration(ms)),
  );
}
