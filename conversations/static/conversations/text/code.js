/**
 * Colours for code, by highlight.js, which is fetched when the first block with a known language is there. What it makes is let through
 * as spans with classes and nothing else; very long code stays as it is.
 */
import DOMPurify from "../vendor/purify.mjs";
import { dress } from "./morph.js";

const LONGEST = 20_000;
const PURIFY = {
  ALLOWED_TAGS: ["span"],
  ALLOWED_ATTR: ["class"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** @typedef {typeof import("../vendor/highlight.mjs").default} Highlighter */

/** @type {Highlighter | false | null} */
let highlighter = null; // false when it cannot be had
/** @type {Promise<Highlighter> | undefined} */
let loading;

/** Has the library fetched, if it is not here yet. */
export function expectCode() {
  loading ??= import("../vendor/highlight.mjs").then(({ default: library }) => library);
  loading.then(
    (library) => (highlighter = library),
    () => (highlighter = false),
  );
}

/**
 * Colours a `code` element; false while the library is on its way.
 * @param {Element} element
 */
export function highlight(element) {
  const language = /language-(\S+)/.exec(element.className)?.[1];
  const source = element.textContent;
  if (!language || source.length > LONGEST) return true;
  if (highlighter === null) expectCode();
  if (!highlighter) return highlighter === false;
  if (!highlighter.getLanguage(language)) return true;
  dress(element, source);
  element.replaceChildren(coloured(highlighter, source, language));
  return true;
}

/**
 * @param {Highlighter} library
 * @param {string} source
 * @param {string} language
 */
function coloured(library, source, language) {
  const html = library.highlight(source, { language, ignoreIllegals: true }).value;
  const fragment = DOMPurify.sanitize(html, PURIFY);
  return fragment.textContent === source ? fragment : document.createTextNode(source);
}
