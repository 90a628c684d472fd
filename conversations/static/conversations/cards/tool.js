/**
 * A tool call's card: one line, and behind it the arguments, the result and what can be done with them.
 */
import { serverNow } from "../lib/clock.js";
import { copies } from "../lib/copy.js";
import { all, create, fromTemplate, inside, setText } from "../lib/dom.js";
import { foldLines } from "../lib/folding.js";
import { duration, timeLeft, visible } from "../lib/format.js";
import { drawApproval, showDecision } from "./approval.js";
import { drawOwn, labelOf } from "./own.js";
import { drawMark, hasRun, isOpen, opensItself, stateOf, wordFor } from "./states.js";
import { summaryOf } from "./summary.js";
import { drawValues } from "./values.js";

const SHORT = 600; // characters of arguments and result together that are drawn before anybody opens the card

/** @type {Record<string, string>} */
const OUTCOMES = { success: "Result", denied: "The model was told", expired: "The model was told" };

/** @type {WeakMap<HTMLElement, Block>} */
const blocks = new WeakMap();
/** @type {WeakMap<HTMLElement, string>} */
const drawnTexts = new WeakMap();
/** @type {WeakMap<HTMLElement, boolean>} */
const openByItself = new WeakMap(); // whether a card was open when it last opened or folded by itself
const leftToReader = new WeakSet(); // cards that the reader has opened or folded, or acts in

/**
 * The block that a card was drawn from.
 * @param {HTMLElement} card
 */
const blockOf = (card) => /** @type {Block} */ (blocks.get(card));

/**
 * The call that a card shows.
 * @param {HTMLElement} card
 * @returns {{id: string, name: string, arguments: string, result?: string}}
 */
export function callOf(card) {
  const { message, result } = blockOf(card);
  const [{ id, function: call }] = message.toolCalls ?? [];
  const text = result?.role === "tool" ? result.content : undefined;
  return { id, name: call.name, arguments: call.arguments, result: text };
}

/**
 * Brings the card in line with its call.
 * @param {HTMLDetailsElement} card
 * @param {Block} block
 */
export function drawTool(card, block) {
  const state = stateOf(block);
  const isOpenByItself = opensItself(state, block.result);
  if (!blocks.has(card)) equip(card, isOpenByItself);
  blocks.set(card, block);
  const { name, arguments: text } = callOf(card);
  card.setAttribute(
    "aria-label",
    `${block.kind === "server" ? "Server tool" : "Tool call"} ${visible(name)}`,
  );
  const title = inside(card, ".tool-name");
  title.classList.toggle("labelled", labelOf(name) !== name);
  setText(title, visible(labelOf(name)));
  setText(inside(card, ".preview"), summaryOf(text));
  drawState(card, state, block);
  drawProgress(inside(card, ".progress"), state === "running" && block.message.metadata.progress);
  drawElapsed(inside(card, ".elapsed"), state, block);
  drawParts(card, block);
  drawApproval(card, block);
  fold(card, isOpenByItself);
  unfold(card);
}

/**
 * Leaves it to the reader from now on whether the card is open.
 * @param {HTMLElement} card
 */
export const leaveToReader = (card) => leftToReader.add(card);

/**
 * @param {HTMLDetailsElement} card
 * @param {boolean} isOpenByItself
 */
function equip(card, isOpenByItself) {
  // A reader may have been faster than the script.
  if (card.dataset.message && card.open !== isOpenByItself) leaveToReader(card);
  openByItself.set(card, card.open);
  card.addEventListener("toggle", () => {
    if (card.open !== openByItself.get(card)) leaveToReader(card);
    unfold(card);
  });
  if (!card.querySelector(".handles")) card.append(inside(fromTemplate("tool-template"), ".handles"));
  const raw = inside(card, "[data-raw]");
  raw.addEventListener("click", () => {
    raw.ariaPressed = String(raw.ariaPressed !== "true");
    unfold(card);
  });
  for (const button of all(card, "[data-copy]"))
    copies.set(button, () => callOf(card)[button.dataset.copy === "result" ? "result" : "arguments"] ?? "");
}

/**
 * @param {HTMLElement} card
 * @param {string} state
 * @param {Block} block
 */
function drawState(card, state, { kind, result }) {
  const place = inside(card, ".tool-state");
  const word = wordFor(state, result);
  if (place.textContent !== word || card.dataset.state !== state)
    place.replaceChildren(drawMark(state), create("span", "word", word));
  card.dataset.state = state;
  const canRun = kind !== "server" && result?.metadata.error !== "unknown_tool";
  const isPending = isOpen(state) || state === "unfinished";
  for (const button of all(card, "[data-run]")) button.hidden = isPending || !canRun;
  inside(card, ".handles").hidden = state === "writing";
}

/**
 * @param {HTMLElement} place
 * @param {Progress | false | undefined} progress
 */
function drawProgress(place, progress) {
  place.hidden = !progress;
  if (!progress) return;
  const { done, of, text = "" } = progress;
  const [bar, words] = place.children;
  if (of && of > 0 && done !== undefined) Object.assign(bar, { max: of, value: Math.max(0, done) });
  else bar.removeAttribute("value");
  const count = [done, of]
    .filter((number) => number !== undefined)
    .map((number) => number.toLocaleString("en"));
  setText(words, visible([count.join(" of "), text].filter(Boolean).join(" \u00b7 ")));
}

/**
 * @param {HTMLElement} elapsed
 * @param {string} state
 * @param {Block} block
 */
function drawElapsed(elapsed, state, { result, since }) {
  if (state === "running") elapsed.dataset.since ??= String(since ?? serverNow());
  else delete elapsed.dataset.since;
  const known = hasRun(state) ? result?.metadata.durationMs : undefined;
  if (state !== "running") setText(elapsed, known === undefined ? "" : duration(known));
}

/**
 * Shows the texts at once; what they stand for is drawn when the card is open.
 * @param {HTMLElement} card
 * @param {Block} block
 */
function drawParts(card, block) {
  const { message, result } = block;
  const { approval } = message.metadata;
  const changed = approval?.editedArgs;
  setText(inside(card, ".arguments"), visible(callOf(card).arguments));
  setText(inside(card, ".request .label"), changed ? "The model asked with" : "Arguments");
  inside(card, ".changed").hidden = !changed;
  if (changed) setText(inside(card, ".changed pre"), visible(JSON.stringify(changed)));
  showDecision(inside(card, ".decision"), approval);
  inside(card, ".outcome").hidden = !result;
  inside(card, "[data-copy=result]").hidden = !result;
  if (!result) return;
  setText(inside(card, ".outcome-name"), OUTCOMES[stateOf(block)] ?? "Error");
  setText(inside(card, ".result"), visible(callOf(card).result ?? ""));
  inside(card, ".cut").hidden = !result.metadata.cut;
}

/**
 * Opens or folds the card, unless the reader is in it or has just opened it: `toggle` comes a little later.
 * @param {HTMLDetailsElement} card
 * @param {boolean} isOpenByItself
 */
function fold(card, isOpenByItself) {
  if (card.open !== openByItself.get(card)) leaveToReader(card);
  const focused = document.activeElement;
  if (leftToReader.has(card) || (card.open && card.contains(focused) && focused?.localName !== "summary"))
    return;
  openByItself.set(card, isOpenByItself);
  card.open = isOpenByItself;
}

// -- what is in an open card

/** @param {HTMLDetailsElement} card */
function unfold(card) {
  const { message } = blockOf(card);
  const { name, arguments: text, result = "" } = callOf(card);
  if (!card.open && text.length + result.length > SHORT) return;
  const { approval } = message.metadata;
  show(inside(card, ".request"), message.metadata.open ? "" : text, name);
  show(inside(card, ".changed"), approval?.editedArgs ? JSON.stringify(approval.editedArgs) : "", name);
  show(inside(card, ".outcome"), result, name);
  const raw = inside(card, "[data-raw]");
  const own = inside(card, ".own");
  if (card.open) drawOwn(card, blockOf(card)).then((isNew) => isNew && unfold(card));
  raw.hidden = !own.childElementCount && !card.querySelector(".view:not(:empty)");
  own.hidden = raw.ariaPressed === "true" || !own.childElementCount;
  for (const view of all(card, ".view")) {
    view.hidden = raw.ariaPressed === "true" || view.childElementCount === 0;
    const text = /** @type {HTMLElement} */ (view.nextElementSibling);
    text.hidden = !view.hidden;
    if (card.open) foldLines(text);
  }
}

/**
 * @param {HTMLElement} part
 * @param {string} text
 * @param {string} name
 */
function show(part, text, name) {
  const view = inside(part, ".view");
  if (drawnTexts.get(view) === text) return;
  drawnTexts.set(view, text);
  view.replaceChildren(...drawValues(text, visible(name)));
}

/**
 * The cards that have been drawn.
 * @param {HTMLElement} log
 */
function cardsIn(log) {
  /** @type {HTMLDetailsElement[]} */
  const cards = all(log, ".tool");
  return cards.filter((card) => blocks.has(card));
}

/**
 * Opens the card of a call, as its reader would; false where there is none yet.
 * @param {HTMLElement} log
 * @param {string} id
 */
export function openCall(log, id) {
  const card = cardsIn(log).find((one) => callOf(one).id === id);
  if (!card) return false;
  card.open = true;
  leaveToReader(card);
  return true;
}

/**
 * Opens the log's cards while it is printed: what they hold is read on paper.
 * @param {HTMLElement} log
 */
export function openForPrint(log) {
  /** @type {HTMLDetailsElement[]} */
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = cardsIn(log).filter(({ open }) => !open);
    for (const card of folded) {
      card.open = true;
      unfold(card);
    }
  });
  addEventListener("afterprint", () => {
    for (const card of folded) card.open = false;
  });
}

/**
 * Shows the time that running calls have taken so far, and what is left for those that wait.
 * @param {HTMLElement} root
 */
export function tick(root) {
  for (const element of all(root, "[data-since]"))
    setText(element, duration(Math.max(0, serverNow() - Number(element.dataset.since))));
  for (const element of all(root, "[data-expires]")) {
    const left = Date.parse(element.dataset.expires ?? "") - serverNow();
    setText(element, left > 0 ? `Expires in ${timeLeft(left)}` : "Expired");
  }
}
