/**
 * What the end of an open text may still become: an asterisk a list, emphasis or itself, a dash below a line a heading. Until that is
 * decided it is not drawn, so that nothing is drawn as what it is not. What stands open for FAR characters is taken for itself.
 */
import { closing } from "./math.js";
import { isProse, mayOpen } from "./prose.js";

const FAR = 200;

// -- lines

const MARKERS = /^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+|>)*[ \t]*/;
const BEGUN = /^(?:[-=]+|[*_+](?:[ \t]*[*_+-])*|\d{1,9}[.)]?|#{1,6}|`{1,2}|`{3}[^`]*|~+|~{3}.*|>|)[ \t]*$/;
const RULE = /^[ \t|:-]*$/; // of a table

/** @param {string} line */
const bare = (line) => line.replace(MARKERS, "");
const isRow = (line = "") => bare(line).startsWith("|");

/**
 * The source without the lines at its end that may be of another kind when more of them has come.
 * @param {string} source
 */
export function decided(source) {
  const lines = source.slice(source.lastIndexOf("\n\n") + 1).split("\n");
  const last = lines.length - 1;
  const begin = [last, last - 1].find((at) => isHeader(lines, at));
  if (begin === last || (begin !== undefined && RULE.test(bare(lines[last]))))
    return without(source, lines, begin);
  return BEGUN.test(bare(lines[last])) ? without(source, lines, last) : source;
}

/** @type {(lines: string[], at: number) => boolean} */
const isHeader = (lines, at) => isRow(lines[at]) && !isRow(lines[at - 1]);

/** @type {(source: string, lines: string[], begin: number) => string} */
const without = (source, lines, begin) =>
  source.slice(0, source.length - lines.slice(begin).join("\n").length);

// -- within a line

const PRICE = /^\$[\d.,]+\S{0,8}\s+\p{L}{2}/u;
const ATTACHED_BEGUN = /^\$(?:[_^](?:\{[^{}$]*\}?|\\?[a-zA-Z]*|[\w+*'-]?)|\\[a-zA-Z]*)$/;
const ENDING_BEGUN = /^(?:|[snrt]|st|nd|rd|th)$/; // of the $n$th
const TARGET = /^:\s*\S*$/; // of a link that is named in brackets

/**
 * By their first characters, what may be open: whether it is.
 * @type {Record<string, (rest: string, state: InlineState) => boolean>}
 */
const OPENERS = {
  "`": (rest) => !hasEnd(rest),
  $: isOpenDollar,
  "\\": (rest, state) => rest === "\\" || (/^\\[([]/.test(rest) && isOpenUntil(state, 2)),
  "[": (_, state) => isOpenLink(state, state.pos),
  "!": (rest, state) => rest === "!" || (rest[1] === "[" && isOpenLink(state, state.pos + 1)),
  "<": (rest) => /^<[^\s<>]*$/.test(rest),
  "&": (rest) => /^&#?\w{0,31}$/.test(rest),
  "~": (rest) => rest === "~",
};

/** @param {string} rest */
function hasEnd(rest) {
  const [[ticks], ...others] = rest.matchAll(/`+/g);
  return others.some(([other]) => other === ticks);
}

/**
 * Whether the delimiter is still open; what follows its end says whether it is one.
 * @param {InlineState} state
 * @param {number} length
 */
function isOpenUntil({ src, pos, env }, length) {
  const close = src
    .slice(pos, pos + length)
    .replace("(", ")")
    .replace("[", "]");
  const end = closing(src, close, pos + length);
  return (
    end < 0 ||
    (env.isCut === true && src.length - end - length < 3 && ENDING_BEGUN.test(src.slice(end + length)))
  );
}

/** @type {(rest: string, state: InlineState) => boolean} */
function isOpenDollar(rest, state) {
  const { src, pos } = state;
  if (rest.startsWith("$$")) return rest[2] !== "\n" && isOpenUntil(state, 2);
  if (rest === "$" || ATTACHED_BEGUN.test(rest)) return true;
  return mayOpen(src, pos) && !PRICE.test(rest) && !isProse(rest.slice(1), "$") && isOpenUntil(state, 1);
}

/**
 * Whether the bracket that it begins with is closed.
 * @param {string} text
 */
function isBalanced(text) {
  let depth = 0;
  for (const [mark] of text.matchAll(/\\.|[()]/gs)) {
    if (mark === "(") depth += 1;
    else if (mark === ")") depth -= 1;
    if (depth === 0) return true;
  }
  return false;
}

/** @type {(state: InlineState, at: number) => boolean} */
function isOpenLink(state, at) {
  const { src } = state;
  const end = state.md.helpers.parseLinkLabel(state, at);
  const rest = src.slice(end + 1);
  if (end < 0 || rest === "") return true;
  if (rest[0] === "(") return !isBalanced(rest);
  if (rest[0] === "[") return !rest.includes("]");
  return (at === 0 || src[at - 1] === "\n") && TARGET.test(rest);
}

/**
 * Leaves out the rest of a line from what is open on.
 * @type {(state: InlineState, silent: boolean) => boolean}
 */
function leaveOut(state, silent) {
  const { src, pos, posMax } = state;
  const isOpen = OPENERS[src[pos]];
  if (!isOpen || silent || state.tokens !== state.env.end || posMax < src.length) return false;
  if (src.length - pos > FAR || !isOpen(src.slice(pos), state)) return false;
  state.pos = posMax;
  return true;
}

/**
 * Leaves out what stands behind an asterisk or its like that has no other yet.
 * @param {InlineState} state
 */
function leaveOutUnpaired({ tokens, delimiters, env }) {
  if (tokens !== env.end) return;
  const near = beginOfLast(tokens, FAR);
  const marks = tokens.findLastIndex(({ content }) => !/^[*_~]+$/.test(content)) + 1;
  /** @param {Delimiter} delimiter */
  const isOpen = ({ open, token }) => token >= near && (open || token >= marks);
  const first = unpairedOf(delimiters).find(isOpen);
  if (first) tokens.length = first.token;
}

/** @type {(tokens: Token[], characters: number) => number} */
function beginOfLast(tokens, characters) {
  let length = 0;
  /** @param {Token} token */
  const isBefore = ({ content }) => {
    length += content.length;
    return length > characters;
  };
  return tokens.findLastIndex(isBefore) + 1;
}

/**
 * Those that stand between the two of a pair will find no other.
 * @param {Delimiter[]} delimiters
 */
function unpairedOf(delimiters) {
  let paired = -1;
  return delimiters.filter(({ end }, index) => {
    paired = Math.max(paired, end);
    return index > paired;
  });
}

/**
 * Keeps the place of the inline text that the source ends with, if more of it can follow, and whether that can touch its last character.
 * @param {CoreState} state
 */
function markEnd({ src, env, tokens }) {
  if (!env.open || /\n[ \t>]*\n[ \t]*$/.test(src)) return;
  const last = tokens.findLast(({ nesting, type, content }) => nesting >= 0 && !isEmptyCell(type, content));
  if (last?.type === "inline") env.end = last.children;
  env.isCut = !/\s$/.test(src);
}

/** @type {(type: string, content: string) => boolean} */
const isEmptyCell = (type, content) => /^t[hdr]_open$/.test(type) || (type === "inline" && content === "");

/**
 * A paragraph of which nothing is decided may be no paragraph.
 * @param {CoreState} state
 */
function dropEmpty({ tokens, env }) {
  const at = tokens.findLastIndex(({ children }) => children && children === env.end);
  const isEmpty = at > 0 && env.end?.every(({ content, type }) => content === "" && type === "text");
  if (isEmpty && tokens[at - 1].type === "paragraph_open") tokens.splice(at - 1, 3);
}

/**
 * Teaches a MarkdownIt to leave out what is undecided at the end of a text that is open.
 * @param {MarkdownIt} markdown
 */
export function undecided(markdown) {
  markdown.core.ruler.before("inline", "mark_end", markEnd);
  markdown.core.ruler.after("inline", "drop_empty", dropEmpty);
  markdown.inline.ruler.after("text", "leave_out", leaveOut);
  markdown.inline.ruler2.before("fragments_join", "leave_out_unpaired", leaveOutUnpaired);
}
