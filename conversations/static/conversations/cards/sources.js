/**
 * Sources that a model cites, as numbered footnotes, and the numbers in the text that lead to them.
 */
import { create } from "../lib/dom.js";
import { visible } from "../lib/format.js";

const LONG = 600; // characters of a quotation

/**
 * Lists the sources of a turn.
 * @param {HTMLElement} element
 * @param {string} key of the turn
 * @param {Source[]} sources
 */
export function drawSources(element, key, sources) {
  element.firstElementChild?.replaceChildren(
    ...sources.map(({ number, citation }) => {
      const item = create("li", "", nameOf(citation), ...placeOf(citation), ...quotation(citation));
      item.id = anchor(key, number);
      item.tabIndex = -1;
      item.dir = "auto";
      return item;
    }),
  );
}

/**
 * @param {string} key
 * @param {number} number
 */
const anchor = (key, number) => `source:${key}:${number}`;

/** @param {Citation} citation */
function nameOf({ title, source, location, cut }) {
  const { url, domain } = location?.web ?? {};
  const name = title || source || domain || (cut ? "A source too long to be shown" : "Untitled source");
  const address = [url, source].find(isWeb);
  if (!address) return create("cite", "", visible(String(name)));
  const link = create("a", "", visible(String(name)));
  link.href = link.title = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return create("cite", "", link);
}

/** @param {string} address */
const isWeb = (address) => /^https?:\/\//i.test(address) && URL.canParse(address);

/** @typedef {{domain?: string, start?: number, end?: number, searchResultIndex?: number}} Place in a source, by its kind */

/**
 * Where in the source it stands, for a person who counts from one.
 * @type {Record<string, (place: Place) => string | false>}
 */
const PLACES = {
  web: ({ domain = "" }) => domain,
  documentPage: ({ start, end }) => range("page", start, end),
  documentChar: ({ start, end }) => range("character", start, end),
  documentChunk: ({ start, end }) => range("part", start, end),
  searchResultLocation: ({ searchResultIndex: index = NaN }) =>
    Number.isInteger(index) && `search result ${index + 1}`,
};

/**
 * @param {string} word
 * @param {number} [start]
 * @param {number} [end]
 */
const range = (word, start = NaN, end = NaN) =>
  Number.isInteger(start) && (end > start ? `${word}s ${start} to ${end}` : `${word} ${start}`);

/** @param {Citation} citation */
function placeOf({ location }) {
  const [kind = "", place] = Object.entries(location ?? {})[0] ?? [];
  const words = Object.hasOwn(PLACES, kind) && PLACES[kind](place ?? {});
  return words ? [`, ${visible(String(words))}`] : [];
}

/** @param {Citation} citation */
function quotation({ sourceContent }) {
  const parts = Array.isArray(sourceContent) ? sourceContent : [];
  const text = visible(parts.map((part) => part?.text ?? "").join(" … ")).trim();
  return text ? [create("blockquote", "", text.length > LONG ? `${text.slice(0, LONG)}…` : text)] : [];
}

const OUTER = "div, ul, ol, li, blockquote, p, h1, h2, h3, h4, h5, h6";

/**
 * Puts the numbers of the sources behind the text.
 * @param {HTMLElement} text
 * @param {string} key of the turn
 * @param {number[]} numbers
 */
export function mark(text, key, numbers) {
  text.querySelector(".cites")?.remove();
  if (!numbers.length) return;
  /** @type {Element} */
  let place = text;
  while (place.lastElementChild?.matches(`:is(${OUTER}):not(.code, .scroll)`)) place = place.lastElementChild;
  place.append(create("sup", "cites", ...numbers.map((number) => reference(key, number))));
}

/**
 * @param {string} key
 * @param {number} number
 */
function reference(key, number) {
  const link = create("a", "", String(number));
  link.href = `#${anchor(key, number)}`;
  link.role = "doc-noteref";
  link.ariaLabel = `Source ${number}`;
  return link;
}
