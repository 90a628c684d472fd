/**
 * What a turn took, below it: one quiet line, and behind it a row for each round and call.
 */
import { cachedOf, costOf, counted, money, readOf, sumOf, tokensOf } from "./cost.js";
import { visible } from "../text/markdown.js";
import { duration } from "../lib/duration.js";
import { drawWaterfall } from "./waterfall.js";

const shown = new WeakMap();

/** Brings the line in line with a turn that has ended, and what stands behind it where that is open. */
export function drawFigures(foot, section) {
  const sum = foot.querySelector(".sum");
  const { turn } = section;
  sum.hidden = !turn.rounds?.length || !turn.endedAt || turn.status === "waiting";
  if (sum.hidden) return fold(foot, false);
  if (shown.get(foot)?.turn !== turn) sum.textContent = lineOf(turn);
  shown.set(foot, section);
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
  if (open) drawWaterfall(figures, rowsOf(shown.get(foot)));
}

const costs = (rounds) => rounds.filter(({ usage }) => usage).map(({ model, usage }) => costOf(model, usage));

function lineOf({ rounds, startedAt, endedAt }) {
  const tokens = rounds.reduce((sum, { usage }) => sum + tokensOf(usage), 0);
  const cost = sumOf(costs(rounds));
  const took = startedAt === null ? "" : duration(Math.max(0, endedAt - startedAt));
  const used = [tokens && counted(tokens, "token"), cost !== null && money(cost)];
  return [counted(rounds.length, "round"), took, ...used].filter(Boolean).join(", ");
}

/** Rows `{kind, name, begin, end, first?, read?, cached?, written?, cost?}` of a turn, in the order of time. */
export function rowsOf({ turn, blocks }) {
  const calls = Map.groupBy(blocks.filter(({ kind }) => kind === "tool"), ({ round }) => round);
  let whole = 0;
  return turn.rounds.flatMap((round) => {
    const row = roundRow(round, turn);
    if (round.interrupted) return [row];
    const own = calls.get(whole++) ?? [];
    return [row, ...own.map((call) => callRow(call, round))];
  });
}

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

function callRow({ message, result }, { calledAt, endedAt }) {
  const begin = calledAt ?? endedAt;
  const failed = result?.metadata.status === "error";
  const name = visible(message.toolCalls[0].function.name);
  return { kind: failed ? "failed-call" : "call", name, begin, end: begin + (result?.metadata.durationMs ?? 0), cost: null };
}
