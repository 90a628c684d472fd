/**
 * A tool call's card: what was asked, how it stands, what came of it.
 */
import { serverNow } from "./clock.js";
import { visible } from "./markdown.js";
import { pretty } from "./json.js";

const SHORT = 600; // characters of arguments and result together that are shown unasked
const PREVIEW = 120;

const STATES = {
  writing: "Writing arguments",
  running: "Running",
  success: "Succeeded",
  error: "Failed",
  cut: "Not finished",
  interrupted: "Interrupted",
};

/** How a call stands: a key of STATES. */
export function standing({ message, result, ended }) {
  if (result?.metadata.interrupted) return "interrupted";
  if (result) return result.metadata.status === "success" ? "success" : "error";
  if (ended) return "cut";
  return message.metadata.open ? "writing" : "running";
}

/** A time for a person: "12 ms", "1.4 s", "2 min 5 s". */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/** Brings the card in line with its call. */
export function drawTool(card, block) {
  const { name, arguments: text } = block.message.toolCalls[0].function;
  const state = standing(block);
  card.setAttribute("aria-label", `Tool call ${visible(name)}`);
  part(card, ".tool-name", visible(name));
  part(card, ".preview", visible(text.slice(0, PREVIEW)));
  part(card, ".arguments", visible(state === "writing" ? text : pretty(text)));
  part(card, ".tool-state", STATES[state]);
  drawElapsed(card, state, block.result);
  drawResult(card, block.result);
  fold(card, state, text.length + (block.result?.content.length ?? 0));
  card.dataset.state = state;
}

function part(card, selector, text) {
  const element = card.querySelector(selector);
  if (element.textContent !== text) element.textContent = text;
}

function drawElapsed(card, state, result) {
  const elapsed = card.querySelector(".elapsed");
  if (state === "running") elapsed.dataset.since ??= serverNow();
  else delete elapsed.dataset.since;
  const known = result?.metadata.durationMs;
  if (state !== "running") elapsed.textContent = known === undefined ? "" : duration(known);
}

function drawResult(card, result) {
  card.querySelector(".outcome").hidden = !result;
  if (!result) return;
  part(card, ".outcome-name", result.metadata.status === "success" ? "Result" : "Error");
  part(card, ".result", visible(pretty(result.content)));
  card.querySelector(".cut").hidden = !result.metadata.cut;
}

// Opened or folded once, when its state changes; after that it is the reader's.
function fold(card, state, length) {
  if (card.dataset.drawn === state) return;
  card.dataset.drawn = state;
  if (state !== "writing" && state !== "running") card.open = length <= SHORT;
}

/** Shows the time that running calls have taken so far. */
export function tick(root) {
  for (const element of root.querySelectorAll("[data-since]"))
    element.textContent = duration(Math.max(0, serverNow() - Number(element.dataset.since)));
}
