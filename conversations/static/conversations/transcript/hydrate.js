/**
 * The state that a served page stands for: its elements carry the messages, their text as it was stored, or where only a part of it is shown,
 * the whole of it beside. Older pages are read in the same way.
 */
import { EMPTY } from "./reducer.js";

/**
 * The state of a page as the server made it.
 * @param {Document} page this page's document, or that of an older one
 * @returns {State}
 */
export function hydrate(page) {
  /** @type {any} */
  const log = page.getElementById("transcript");
  return {
    ...EMPTY,
    cursor: Number(log.dataset.seq),
    before: log.dataset.before || null,
    queue: JSON.parse(log.dataset.queue),
    turns: Array.from(log.querySelectorAll("[data-turn]"), ({ dataset }) => JSON.parse(dataset.turn)),
    messages: messagesOf(log),
  };
}

// Results stand inside their calls, though in the record other calls come before them.
function messagesOf(log) {
  const entries = Array.from(log.querySelectorAll("[data-message]")).flatMap(readBlock);
  return entries.sort(([one], [other]) => one - other).map(([, message]) => message);
}

const textOf = (element, part) => element.querySelector(part).textContent;

function readBlock(element) {
  const message = JSON.parse(element.dataset.message);
  const at = Number(element.dataset.at);
  if (message.role === "activity") return [[at, message], ...resultOf(element)];
  if (!message.toolCalls) return [[at, { content: textOf(element, ".text"), ...message }]];
  message.toolCalls[0].function.arguments = textOf(element, ".arguments");
  const withText = ([place, result]) => [place, { ...result, content: textOf(element, ".result") }];
  return [[at, message], ...resultOf(element).map(withText)];
}

const resultOf = ({ dataset }) =>
  dataset.result ? [[Number(dataset.resultAt), JSON.parse(dataset.result)]] : [];

const NEAR = "150% 0px 0px"; // of the window's height, above it

/**
 * The state of the page at the address. XMLHttpRequest parses it, so that no string becomes HTML here.
 * @param {string} url
 * @returns {Promise<State>}
 */
export function loadOlder(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () =>
      request.status === 200 ? resolve(hydrate(request.response)) : reject(Error(request.statusText));
    request.onerror = () => reject(Error("The server cannot be reached."));
    request.open("GET", url);
    request.send();
  });
}

/** Calls `load` as the reader comes near the link, and again if it is still near; not after it has failed: then there is the link. */
export function whenNear(link, load) {
  const observer = new IntersectionObserver(
    async ([entry]) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      if (
        await load().then(
          () => true,
          () => false,
        )
      )
        observer.observe(link);
    },
    { rootMargin: NEAR },
  );
  observer.observe(link);
}
