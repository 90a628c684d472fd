/**
 * Thoughts that a model wrote into its text, `<thinking>...</thinking>` or `<think>...</think>`: told apart from the answer, which stays as
 * it was stored. Python does the same (protocol/thoughts.py).
 *
 * A thought begins where a text does, or directly behind another thought. Further on it has to begin a paragraph and to end with a line:
 * prose about tags has them in the middle. In code there is none.
 */

/**
 * A part of a text. Every second one is a thought; those before, between and behind them may be blank.
 * @typedef {{text: string, isThought: boolean, open: boolean}} TextPart
 */

/**
 * A thought by its offsets: its tag, what is in it, the tag that ends it (-1 without one), and its end.
 * @typedef {{at: number, body: number, name: string, close: number, end: number}} Thought
 */

const MAY_BE = /<think(?:ing)?>/i;
const AT_BEGINNING = /(?:[ \t\r]*\n)* {0,3}<(think|thinking)>/iy;
const IN_LINE = /^ {0,3}<(think|thinking)>/i;
const INDENT = /^ {0,3}$/;
const BLANK = /^[ \t\r]*$/;
const FENCE = /^[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/;
const CODE = /(?<!`)(`+)(?!`)([^\n]*?[^`])\1(?!`)/g;
const MARKUP = /`|~~~/;
const LONGEST_LINE = 2_000; // characters of a line in which code is looked for
const NEAR = 2_000; // characters behind a tag in which the end of the code that it may stand in is looked for
const TAGS = ["<think>", "<thinking>"];

/** @type {(text: string, at: number) => number} */
const lineEnd = (text, at) => {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
};

/**
 * The fence that is open behind a line, "" for none.
 * @param {string} line
 * @param {string} fence the one that was open before it
 */
function fenceBehind(line, fence) {
  if (!fence) return FENCE.exec(line)?.[1] ?? "";
  const run = line.replace(/^[ \t>]+/, "").replace(/[ \t\r]+$/, "");
  return run.length >= fence.length && run === fence[0].repeat(run.length) ? "" : fence;
}

/** @param {string} line */
const withoutCode = (line) =>
  line.length > LONGEST_LINE ? line : line.replace(CODE, (code) => " ".repeat(code.length));

/**
 * Where the tag that ends a thought stands, -1 where none does. A fence without an end is no code.
 * @type {(text: string, from: number, name: string) => number}
 */
function closing(text, from, name) {
  const close = new RegExp(`</${name}>`, "i");
  const first = text.slice(from).search(close);
  if (first < 0 || !MARKUP.test(text.slice(from, from + first))) return first < 0 ? -1 : from + first;
  const near = text.slice(0, from + first + name.length + 3 + NEAR);
  let fence = "";
  for (let at = from; at <= near.length; at = lineEnd(near, at) + 1) {
    const line = near.slice(at, lineEnd(near, at));
    const index = fence ? -1 : withoutCode(line).search(close);
    if (index >= 0) return at + index;
    fence = fenceBehind(line, fence);
  }
  return fence ? from + first : -1;
}

/**
 * A thought that begins here or further on.
 * @type {(text: string, from: number, open: boolean) => Thought | null}
 */
function nextThought(text, from, open) {
  AT_BEGINNING.lastIndex = from;
  const [opening, name] = AT_BEGINNING.exec(text) ?? [];
  return opening ? thoughtAt(text, from, from + opening.length, name) : furtherThought(text, from, open);
}

/** @type {(text: string, at: number, body: number, name: string) => Thought} */
function thoughtAt(text, at, body, name) {
  const close = closing(text, body, name);
  return { at, body, name, close, end: close < 0 ? text.length : close + name.length + 3 };
}

/** @type {(text: string, from: number, open: boolean) => Thought | null} */
function furtherThought(text, from, open) {
  /** @type {Record<string, number>} */
  const searched = { think: 0, thinking: 0 };
  let fence = "";
  let isBehindBlank = false;
  for (let at = from; at <= text.length; at = lineEnd(text, at) + 1) {
    const line = text.slice(at, lineEnd(text, at));
    const [opening, name] = (!fence && isBehindBlank && IN_LINE.exec(line)) || [];
    if (opening && at >= searched[name.toLowerCase()]) {
      const thought = thoughtAt(text, at, at + opening.length, name);
      if (thought.close < 0 ? open : BLANK.test(text.slice(thought.end, lineEnd(text, thought.end))))
        return thought;
      searched[name.toLowerCase()] = thought.end;
    }
    fence = fenceBehind(line, fence);
    isBehindBlank = BLANK.test(line);
  }
  return null;
}

/**
 * The text without the beginning of a tag at its end, of which the rest may still come.
 * @param {string} text
 * @param {string[]} tags
 */
function withoutTail(text, tags) {
  const at = text.lastIndexOf("<");
  const tail = text.slice(at).toLowerCase();
  return at >= 0 && tags.some((tag) => tag !== tail && tag.startsWith(tail)) ? text.slice(0, at) : text;
}

/** @param {string} text */
function withoutOpening(text) {
  const shorter = withoutTail(text, TAGS);
  if (shorter === text) return text;
  const start = shorter.lastIndexOf("\n") + 1;
  const before = shorter.slice(shorter.lastIndexOf("\n", start - 2) + 1, Math.max(0, start - 1));
  return INDENT.test(shorter.slice(start)) && BLANK.test(before) ? shorter : text;
}

/** @param {string} text */
const behindThought = (text) => text.replace(/^(?:[ \t\r]*\n)+|^[ \t]+/, "");
/** @param {string} text */
const beforeThought = (text) => text.replace(/[ \t\r\n]+$/, "");
/** @param {string} text */
const trimmed = (text) => beforeThought(text.replace(/^[ \t\r\n]+/, ""));

/**
 * The parts of a text, which is still `open` where more of it may come: a thought without an end is then under way.
 * @param {string} text
 * @returns {TextPart[]}
 */
export function partsOf(text, open = false) {
  /** @type {TextPart[]} */
  const parts = [];
  let at = 0;
  /** @type {(part: string, isThought: boolean, isLast: boolean) => void} */
  const put = (part, isThought, isLast) => parts.push({ text: part, isThought, open: open && isLast });
  /** @param {string} part */
  const answer = (part) => (parts.length ? behindThought(part) : part);
  while (MAY_BE.test(at ? text.slice(at) : text)) {
    const thought = nextThought(text, at, open);
    if (!thought) break;
    put(beforeThought(answer(text.slice(at, thought.at))), false, false);
    const body = text.slice(thought.body, thought.close < 0 ? text.length : thought.close);
    const isUnderWay = thought.close < 0 && open;
    put(
      trimmed(isUnderWay ? withoutTail(body, [`</${thought.name.toLowerCase()}>`]) : body),
      true,
      thought.close < 0,
    );
    if (thought.close < 0) return parts;
    at = thought.end;
  }
  const rest = text.slice(at);
  put(answer(open ? withoutOpening(rest) : rest), false, true);
  return parts;
}

/**
 * What the text says to the reader: without its thoughts.
 * @param {string} text
 */
export function answerIn(text) {
  const parts = partsOf(text);
  if (parts.length === 1) return text;
  const answers = parts.filter((part) => !part.isThought && part.text).map((part) => part.text);
  return answers.join("\n\n");
}
