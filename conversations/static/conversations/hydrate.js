/**
 * The state that a served page stands for: its elements carry the messages, their text as it was stored.
 */
import { EMPTY } from "./reducer.js";

/** The state of a page as the server made it (`documentOf` is this page's document or an older one's). */
export function hydrate(documentOf) {
  const log = documentOf.getElementById("transcript");
  return {
    ...EMPTY,
    cursor: Number(log.dataset.seq),
    before: log.dataset.before || null,
    queue: JSON.parse(log.dataset.queue),
    turns: Array.from(log.querySelectorAll("[data-turn]"), (element) => JSON.parse(element.dataset.turn)),
    messages: Array.from(log.querySelectorAll("[data-message]")).flatMap(messagesOf),
  };
}

const textOf = (element, part) => element.querySelector(part).textContent;

function messagesOf(element) {
  const message = JSON.parse(element.dataset.message);
  if (!message.toolCalls) return [{ ...message, content: textOf(element, ".text") }];
  message.toolCalls[0].function.arguments = textOf(element, ".arguments");
  if (!element.dataset.result) return [message];
  return [message, { ...JSON.parse(element.dataset.result), content: textOf(element, ".result") }];
}
