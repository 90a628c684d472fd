/**
 * A tool call's card: its arguments, its state and its result.
 */
import { serverNow } from "../lib/clock.js";
import { copies } from "../lib/copy.js";
import { setText } from "../lib/dom.js";
import { beginning, duration, timeLeft, visible } from "../lib/format.js";
import { drawApproval, tellDecision } from "./approval.js";
import { drawMark, hasRun, isOpen, standing, wordFor } from "./states.js";
import { drawValues } from "./values.js";

const SHORT = 600; // characters of arguments and result together that are shown unasked
const PREVIEW = 120;
const PICTURE = /^\{"image": ?\{/m; // as results tell of them, a line each

const OUTCOMES = { success: "Result", denied: "The model was told", expired: "The model was told" };

const blocks = new WeakMap();
const drawn = new WeakMap();

/** The call that a card shows: `{id, name, arguments, result}`. */
export function callOf(card) {
  const { message, result } = blocks.get(card);
  const { id, function: call } = message.toolCalls[0];
  return { id, name: call.name, arguments: call.arguments, result: result?.content };
}

/**
 * Brings the card in line with its call.
 * @param {HTMLDetailsElement} card
 * @param {Block} block
 */
export function drawTool(card, block) {
  if (!blocks.has(card)) equip(card);
  blocks.set(card, block);
  const { name, arguments: text } = callOf(card);
  const state = standing(block);
  card.setAttribute(
    "aria-label",
    `${block.kind === "server" ? "Server tool" : "Tool call"} ${visible(name)}`,
  );
  setText(card.querySelector(".tool-name"), visible(name));
  setText(card.querySelector(".preview"), visible(beginning(text, PREVIEW)));
  drawState(card, state, block);
  drawElapsed(card.querySelector(".elapsed"), state, block);
  drawParts(card, block);
  drawApproval(card, block);
  fold(card, state, block);
  unfold(card);
}

function equip(card) {
  card.addEventListener("toggle", () => unfold(card));
  const raw = card.querySelector("[data-raw]");
  raw.addEventListener("click", () => {
    raw.ariaPressed = String(raw.ariaPressed !== "true");
    unfold(card);
  });
  for (const button of card.querySelectorAll("[data-copy]"))
    copies.set(button, () => callOf(card)[button.dataset.copy] ?? "");
}

/**
 * @param {any} card
 * @param {string} state
 * @param {Block} block
 */
function drawState(card, state, { kind, result }) {
  const place = card.querySelector(".tool-state");
  const word = wordFor(state, result);
  if (place.textContent !== word || card.dataset.state !== state)
    place.replaceChildren(drawMark(state), word);
  card.dataset.state = state;
  const canRun = kind !== "server" && result?.metadata.error !== "unknown_tool";
  const isPending = isOpen(state) || state === "unfinished";
  for (const button of card.querySelectorAll("[data-run]")) button.hidden = isPending || !canRun;
  card.querySelector(".handles").hidden = state === "writing";
}

/**
 * @param {HTMLElement} elapsed
 * @param {string} state
 * @param {Block} block
 */
function drawElapsed(elapsed, state, { result, since }) {
  if (state === "running") elapsed.dataset.since ??= since ?? serverNow();
  else delete elapsed.dataset.since;
  const known = hasRun(state) ? result?.metadata.durationMs : undefined;
  if (state !== "running") setText(elapsed, known === undefined ? "" : duration(known));
}

/**
 * Shows the texts at once; what they stand for is drawn when the card is open.
 * @param {any} card
 * @param {Block} block
 */
function drawParts(card, block) {
  const { message, result } = block;
  const { approval } = message.metadata;
  const changed = approval?.editedArgs;
  setText(card.querySelector(".arguments"), visible(message.toolCalls[0].function.arguments));
  setText(card.querySelector(".request .label"), changed ? "The model asked with" : "Arguments");
  card.querySelector(".changed").hidden = !changed;
  if (changed) setText(card.querySelector(".changed pre"), visible(JSON.stringify(changed)));
  tellDecision(card.querySelector(".decision"), approval);
  card.querySelector(".outcome").hidden = !result;
  card.querySelector("[data-copy=result]").hidden = !result;
  if (!result) return;
  setText(card.querySelector(".outcome-name"), OUTCOMES[standing(block)] ?? "Error");
  setText(card.querySelector(".result"), visible(result.content));
  card.querySelector(".cut").hidden = !result.metadata.cut;
}

/**
 * Opens or folds the card once, when its state changes; after that it is the reader's.
 * @param {HTMLDetailsElement} card
 * @param {string} state
 * @param {Block} block
 */
function fold(card, state, { message, result }) {
  if (card.dataset.drawn === state) return;
  card.dataset.drawn = state;
  const content = result?.content ?? "";
  const length =
    message.toolCalls[0].function.arguments.length + (PICTURE.test(content) ? 0 : content.length);
  if (state === "waiting") card.open = true;
  else if (!isOpen(state)) card.open = length <= SHORT;
}

// -- what is in an open card

function unfold(card) {
  if (!card.open) return;
  const { message, result } = blocks.get(card);
  const { name, arguments: text } = callOf(card);
  const { approval } = message.metadata;
  show(card.querySelector(".request"), message.metadata.open ? "" : text, name);
  show(card.querySelector(".changed"), approval?.editedArgs ? JSON.stringify(approval.editedArgs) : "", name);
  show(card.querySelector(".outcome"), result?.content ?? "", name);
  const raw = card.querySelector("[data-raw]");
  raw.hidden = !card.querySelector(".view:not(:empty)");
  for (const view of card.querySelectorAll(".view")) {
    view.hidden = raw.ariaPressed === "true" || view.childElementCount === 0;
    view.nextElementSibling.hidden = !view.hidden;
  }
}

function show(part, text, name) {
  const view = part.querySelector(".view");
  if (drawn.get(view) === text) return;
  drawn.set(view, text);
  view.replaceChildren(...drawValues(text, visible(name)));
}

/** Shows the time that running calls have taken so far, and what is left for those that wait. */
export function tick(root) {
  for (const element of root.querySelectorAll("[data-since]"))
    setText(element, duration(Math.max(0, serverNow() - Number(element.dataset.since))));
  for (const element of root.querySelectorAll("[data-expires]")) {
    const left = Date.parse(element.dataset.expires) - serverNow();
    setText(element, left > 0 ? `Expires in ${timeLeft(left)}` : "Expired");
  }
}
