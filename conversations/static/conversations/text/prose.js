/**
 * What stands between the delimiters of a formula and is none: prices, paths, shell.
 *
 * The rules of Pandoc and VS Code come first: a `$` opens before what is no space and closes behind what is none, and outside beside it
 * stands no Latin letter, digit or further `$`. Beside H$_2$O, 5 $\mu$m and the $n$th may, and letters of other scripts. What passes is
 * still no formula where it reads as prose, where it lies in a path, or where code begins in it, which binds tighter.
 */

const WORD = /[\p{N}\p{Script=Latin}]/u;
const ATTACHED = /^(?:(?:[_^](?:\{[^{}$]*\}|\\[a-zA-Z]+|[\w+*'-]))+|\\[a-zA-Z]+)$/; // an index, a power, a sign
const ENDING = /^(?:s|st|nd|rd|th)(?![\p{L}\p{N}])/u;
const TEX = /[\\^_={}]/;
const NAME = /\p{L}{2,}_[\p{L}_]{2,}/gu; // MY_PATH
const WORDS = /\p{L}{3,}[,;:]?\s+(?:\p{L}\s+)?\p{L}{2,}|(?:^|\s)--?[a-z]{3,}/u; // "or the like", "-name"
const AMOUNTS = /^[-+]?\.?\d.*\d$/s;
const BESIDE_AMOUNT =
  /\s\p{L}{2,}|\d\s+\p{L}\s+\d|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Hangul}\p{Script=Thai}]/u;
const LABEL = /^(?:\d{1,3}(?:\s*[,–-]\s*\d{1,3})*|\p{L}{3,})$/u; // between brackets that are escaped: [1], [name]
const OUTSIDE = /^[)},;:/'"]|[(]$/; // between two `$` that each stand for dollars
const ALTERNATIVES = /\\\|/g; // of a regular expression
const BARE_WORD = /(?:^|\s)\p{L}{2,}(?:\s|$)/u;
const IN_PATH =
  /(?:[\p{N}\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]\/?|(?<![\p{L}\p{N}])[A-Za-z]:|(?:^|[\s"'(])\.{1,2}|%\w+%)$/u;
const GOES_ON = /^(?:\\\p{L}|[([])/u; // as a path, or as a link whose brackets are escaped
const FAR = 50;

const isWord = (character = "") => WORD.test(character);
const isSpace = (character = " ") => /\s/.test(character);

/**
 * Whether a `$` may open a formula there.
 * @param {string} text
 * @param {number} at
 */
export const mayOpen = (text, at) =>
  !isWord(text[at - 1]) && text[at - 1] !== "$" && text[at + 1] !== "$" && !isSpace(text[at + 1]);

/** @type {(text: string, at: number) => boolean} */
const mayClose = (text, at) =>
  !isSpace(text[at - 1]) &&
  (!isWord(text[at + 1]) || ENDING.test(text.slice(at + 1, at + 4))) &&
  !/[$({]/.test(text[at + 1] ?? "");

/** @type {(text: string, from: number, to: number) => boolean} */
const isAttached = (text, from, to) =>
  ATTACHED.test(text.slice(from, to)) && text[from - 2] !== "$" && text[to + 1] !== "$";

/**
 * Whether the words between two delimiters are no formula.
 * @param {string} content
 * @param {string} open the delimiter before it
 */
export function isProse(content, open) {
  if (!content.trim()) return true;
  if (open === "\\[" ? LABEL.test(content) : open === "$" && OUTSIDE.test(content)) return true;
  if ((content.match(ALTERNATIVES)?.length ?? 0) % 2) return true;
  if (TEX.test(content.replace(NAME, ""))) return false;
  if (WORDS.test(content)) return true;
  return open === "$$" ? BARE_WORD.test(content) : AMOUNTS.test(content) && BESIDE_AMOUNT.test(content);
}

/**
 * Whether code begins between the two places, wherever it ends.
 * @type {(text: string, from: number, to: number) => boolean}
 */
function hasCode(text, from, to) {
  for (const { 0: ticks, index } of text.slice(from, to).matchAll(/`+/g)) {
    const rest = text.slice(from + index + ticks.length);
    if (new RegExp(`(?<!\`)${ticks}(?!\`)`).test(rest)) return true;
  }
  return false;
}

/**
 * Whether the delimiter, whose content lies between these places of the text, opens a formula.
 * @type {(text: string, open: string, from: number, to: number) => boolean}
 */
export function isFormula(text, open, from, to) {
  const begin = from - open.length;
  const content = text.slice(from, to);
  if (open === "$" && !(mayOpen(text, begin) && mayClose(text, to)) && !isAttached(text, from, to))
    return false;
  if (open === "$$" && (text[begin - 1] === "$" || text[to + 2] === "$")) return false;
  if (open.startsWith("\\") && isInPath(text, begin, to + 2)) return false;
  return !isProse(content, open) && !hasCode(text, from, to);
}

/** @type {(text: string, begin: number, end: number) => boolean} */
const isInPath = (text, begin, end) =>
  IN_PATH.test(text.slice(Math.max(0, begin - FAR), begin)) || GOES_ON.test(text.slice(end, end + 2));
