/**
 * The state that a served page stands for: its elements carry the messages, their text as it was stored, or where only a part of it is shown,
 * the whole of it beside. Older pages are read in the same way.
 */
import { loadDocument } from "../lib/documents.js";
import { all, inside } from "../lib/dom.js";
import { EMPTY } from "./reducer.js";

/**
 * The state of a page as the server made it.
 * @param {Document} page this page's document, or that of an older one
 * @returns {State}
 */
export function hydrate(page) {
  const log = inside(page, "#transcript");
  const { seq, before, queue = "[]" } = log.dataset;
  return {
    ...EMPTY,
    cursor: Number(seq),
    before: before || null,
    queue: JSON.parse(queue),
    turns: all(log, "[data-turn]").map(({ dataset: { turn = "" } }) => JSON.parse(turn)),
    messages: messagesOf(log),
  };
}

/** @typedef {[place: number, message: Message]} Placed */

/**
 * The messages in the record's order: results stand inside their calls, though other calls come before them.
 * @param {HTMLElement} log
 */
function messagesOf(log) {
  const entries = all(log, "[data-message]").flatMap(readBlock);
  return entries.sort(([one], [other]) => one - other).map(([, message]) => message);
}

/** @type {(element: HTMLElement, part: string) => string} */
const textOf = (element, part) => inside(element, part).textContent;

/** @type {(element: HTMLElement) => Placed[]} */
function readBlock(element) {
  /** @type {Message} */
  const message = JSON.parse(element.dataset.message ?? "");
  const at = Number(element.dataset.at);
  if (message.role !== "activity" && !message.toolCalls)
    return [[at, { content: textOf(element, ".text"), ...message }]];
  if (message.toolCalls) message.toolCalls[0].function.arguments = textOf(element, ".arguments");
  return [[at, message], ...resultOf(element)];
}

/** @type {(element: HTMLElement) => Placed[]} */
function resultOf(element) {
  const { result, resultAt } = element.dataset;
  if (!result) return [];
  /** @type {Message} */
  const message = JSON.parse(result);
  const isActivity = message.role === "activity";
  return [[Number(resultAt), isActivity ? message : { ...message, content: textOf(element, ".result") }]];
}

/**
 * The state of the page at the address.
 * @param {string} url
 */
export const loadOlder = async (url) => hydrate(await loadDocument(url));
