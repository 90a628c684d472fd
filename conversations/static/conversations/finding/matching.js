/**
 * Where the words of a search stand in a text: case and accents fold as they do in the index, a word may be the beginning of one.
 */

const PIECE = /[\p{L}\p{N}]+/gu;
const MARKS = /\p{M}/gu;
const CONTINUOUS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const BEGINNING = 3; // letters from which on a word may be the beginning of one

/** @param {string} letter */
const fold = (letter) => letter.normalize("NFKD").replace(MARKS, "").toLowerCase();

/**
 * The text folded, and for each of its places the place in the text.
 * @param {string} text
 */
function folded(text) {
  let whole = "";
  const places = [];
  let at = 0;
  for (const letter of text) {
    const letters = fold(letter);
    for (let index = 0; index < letters.length; index += 1) places.push(at);
    whole += letters;
    at += letter.length;
  }
  places.push(at);
  return { whole, places };
}

/**
 * The patterns of a search: its words, and what stands in quotes as a whole.
 * @param {string} words
 */
function patterns(words) {
  const terms = Array.from(words.matchAll(/"([^"]*)"?|([^\s"]+)/g), ([, phrase, word]) => phrase ?? word);
  const pieces = terms.map((term) => Array.from(folded(term).whole.matchAll(PIECE), ([piece]) => piece));
  return pieces.filter(({ length }) => length).map(patternOf);
}

/** @param {string[]} pieces */
function patternOf(pieces) {
  const first = CONTINUOUS.test(pieces[0]) ? "" : "(?<![\\p{L}\\p{N}])";
  const last = pieces[pieces.length - 1];
  const end = last.length >= BEGINNING || CONTINUOUS.test(last) ? "" : "(?![\\p{L}\\p{N}])";
  return new RegExp(`${first}${pieces.join("[^\\p{L}\\p{N}]+")}${end}`, "gu");
}

/**
 * The places of the words in a text, as `[start, end]`, in their order.
 * @param {string} text
 * @param {string} words as they were searched for
 * @returns {[number, number][]}
 */
export function spansOf(text, words) {
  const { whole, places } = folded(text);
  /** @type {[number, number][]} */
  const spans = patterns(words).flatMap((pattern) =>
    Array.from(whole.matchAll(pattern), ({ index, 0: { length } }) => [
      places[index],
      places[index + length],
    ]),
  );
  return spans.sort(([one], [other]) => one - other);
}
