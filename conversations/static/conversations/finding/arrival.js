/**
 * The way from a search to its hit: the address names the turn, the message and the words; there the words are marked and in sight.
 */
import { all } from "../lib/dom.js";
import { style } from "../lib/styles.js";
import { spansOf } from "./matching.js";

const MOST = 500; // ranges that are marked

/**
 * Goes to the hit that the address names, in a log that is drawn to its end; the focus goes there, too.
 * @param {HTMLElement} log
 * @param {URLSearchParams} query
 */
export async function arrive(log, query) {
  const places = placesOf(log, query);
  if (!places.length) return;
  await style(new URL("./arrival.css", import.meta.url)).catch(() => undefined);
  const ranges = places.flatMap((place) => rangesIn(place, query.get("words") ?? "")).slice(0, MOST);
  const start = ranges[0]?.startContainer;
  const place = places.find((one) => start && one.contains(start)) ?? places[0];
  open(start?.parentElement ?? place);
  mark(ranges);
  for (const again of [false, true]) {
    if (again) await frames(2); // what is above has its true height now
    (visibleElement(ranges) ?? place).scrollIntoView({ block: "center", behavior: "instant" });
  }
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

/**
 * The blocks of the message; those of its turn where it has none.
 * @param {HTMLElement} log
 * @param {URLSearchParams} query
 */
function placesOf(log, query) {
  const name = query.get("in") ?? "";
  const blocks = all(log, "[data-key]");
  /** @param {HTMLElement} block */
  const isOf = ({ dataset: { key = "" } }) => key === name || key.startsWith(`${name}:`);
  const own = name ? blocks.filter(isOf) : [];
  return own.length ? own : blocks.filter(({ dataset }) => dataset.key === `turn:${query.get("at")}`);
}

/** @typedef {{node: Node, start: number}} TextPlace a text node, and where it begins in the whole text */

/**
 * The words in an element, wherever one text node ends and the next begins.
 * @param {HTMLElement} element
 * @param {string} words
 */
function rangesIn(element, words) {
  /** @type {TextPlace[]} */
  const nodes = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += /** @type {Text} */ (walker.currentNode).data;
  }
  return spansOf(text, words).map(([start, end]) => {
    const range = new Range();
    const [first, last] = [placeIn(nodes, start, 0), placeIn(nodes, end, 1)];
    range.setStart(first.node, first.offset);
    range.setEnd(last.node, last.offset);
    return range;
  });
}

/**
 * The node and offset where a range begins, or with 1 for `back` where it ends.
 * @param {TextPlace[]} nodes
 * @param {number} at
 * @param {number} back
 */
function placeIn(nodes, at, back) {
  const { node, start } = nodes.findLast((one) => one.start <= at - back) ?? nodes[0];
  return { node, offset: at - start };
}

/**
 * Opens what the element is folded in.
 * @param {Element} element
 */
function open(element) {
  for (
    let details = element.closest("details");
    details;
    details = details.parentElement?.closest("details") ?? null
  )
    details.open = true;
}

/** @param {Range[]} ranges */
function mark(ranges) {
  if (globalThis.CSS?.highlights) CSS.highlights.set("hit", new Highlight(...ranges));
  else for (const range of ranges.toReversed()) wrap(range);
}

/**
 * Puts an element round a range in one piece, where no highlight can be painted over it.
 * @param {Range} range
 */
function wrap(range) {
  if (range.startContainer !== range.endContainer) return;
  const element = document.createElement("mark");
  element.className = "hit-mark";
  range.surroundContents(element);
}

/**
 * The first element of the ranges that is not hidden; a range itself cannot be scrolled to.
 * @param {Range[]} ranges
 */
function visibleElement(ranges) {
  const elements = ranges.map(({ startContainer }) => startContainer.parentElement);
  return elements.find((element) => element?.checkVisibility?.() ?? true);
}

/** @param {number} count */
async function frames(count) {
  for (let at = 0; at < count; at += 1) await new Promise(requestAnimationFrame);
}
