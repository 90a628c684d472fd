/**
 * Math in markdown: `$…$` and `\(…\)` in a line, `$$…$$` and `\[…\]` displayed. What stands there stays text in a `span`, with its
 * delimiters, until a library typesets it.
 *
 * Each delimiter is looked for once in a text that lacks it, and no formula is longer than LONGEST: no input takes the square of its length.
 */
import { isFormula, isProse } from "./prose.js";

const LONGEST = 5_000;
const FAR = 50; // lines
const LINE = 200; // characters
const DELIMITERS = [
  ["$$", "$$"],
  ["\\[", "\\]"],
  ["\\(", "\\)"],
  ["$", "$"],
];

/**
 * Where the closing delimiter stands from there on, -1 where it does not; one behind an odd number of backslashes is none.
 * @param {string} text
 * @param {string} close
 * @param {number} from
 */
export function closing(text, close, from) {
  for (let at = text.indexOf(close, from); at >= 0; at = text.indexOf(close, at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

/**
 * Behind `\[`, as in a path that has been escaped whole, `\(` is one more escape.
 * @param {InlineState} state
 */
const isBehindEscape = ({ tokens, pending }) => pending === "" && tokens.at(-1)?.type === "text_special";

/**
 * Whether a delimiter ends the text so far: what follows says if it closes a formula.
 * @param {InlineState} state
 * @param {number} end
 */
const isUndecided = ({ env, tokens, src }, end) => env.isCut && env.end === tokens && end === src.length;

/** @type {(state: InlineState, silent: boolean) => boolean} */
function inLine(state, silent) {
  const { src, pos } = state;
  const [open, close] = DELIMITERS.find(([begin]) => src.startsWith(begin, pos)) ?? [];
  state.unclosed ??= new Set();
  if (!open || state.unclosed.has(close)) return false;
  const from = pos + open.length;
  const to = closing(src, close, from);
  if (to < 0) state.unclosed.add(close);
  if (to <= from || to - from > LONGEST || !isFormula(src, open, from, to)) return false;
  if (open.startsWith("\\") && isBehindEscape(state)) return false;
  if (isUndecided(state, to + close.length)) return false;
  state.pos = to + close.length;
  if (!silent) state.push("math", "span", 0).content = src.slice(pos, state.pos);
  return true;
}

/** @type {(state: BlockState, line: number) => string} */
const lineOf = (state, line) => state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]);

/**
 * Whether the lines before have opened a formula that ends here: in a paragraph it may begin within a line.
 * @param {BlockState} state
 * @param {number} begin
 */
function isEnd(state, begin) {
  let count = 0;
  for (let line = begin - 1; line >= Math.max(0, begin - FAR) && !state.isEmpty(line); line -= 1)
    count += lineOf(state, line).split("$$").length - 1;
  return count % 2 === 1;
}

/** @type {(lines: string[], open: string, end: number) => boolean} */
const isAlone = (lines, open, end) =>
  end === lines[lines.length - 1].length &&
  !isProse(lines.join("\n").slice(open.length, -open.length), open === "$$" ? "" : open);

/**
 * Whether an open formula is long enough to be one: in its first line it may be many things.
 * @param {string[]} lines
 */
const isLong = (lines) => lines.length > 1 || lines[0].length > LINE;

/**
 * A displayed formula from this line on; in a text that is still open it may lack its end.
 * @param {BlockState} state
 * @param {number} begin
 * @param {number} end
 * @returns {[lines: string[], isClosed: boolean] | null}
 */
function displayed(state, begin, end) {
  const first = lineOf(state, begin);
  const [open, close] = DELIMITERS.slice(0, 2).find(([delimiter]) => first.startsWith(delimiter)) ?? [];
  if (!open || (open === "$$" && isEnd(state, begin))) return null;
  const lines = [];
  for (let line = begin, length = 0; line < end && length < LONGEST; line += 1) {
    if (state.isEmpty(line) || state.sCount[line] < state.blkIndent) return null;
    const text = lineOf(state, line).trimEnd();
    lines.push(text);
    length += text.length;
    const at = closing(text, close, line === begin ? open.length : 0);
    if (at >= 0) return isAlone(lines, open, at + close.length) ? [lines, true] : null;
  }
  return state.env.open && begin + lines.length === state.lineMax && isLong(lines) ? [lines, false] : null;
}

/** @type {BlockRule} */
function inBlock(state, begin, end, silent) {
  if (state.sCount[begin] - state.blkIndent >= 4) return false;
  const formula = displayed(state, begin, end);
  if (!formula || silent) return Boolean(formula);
  const [lines, isClosed] = formula;
  state.line = begin + lines.length;
  const token = state.push(isClosed ? "math_block" : "math_begun", "p", 0);
  token.map = [begin, state.line];
  token.content = lines.join("\n");
  return true;
}

/**
 * Teaches a MarkdownIt to find math.
 * @param {MarkdownIt} markdown
 */
export function math(markdown) {
  const { escapeHtml } = markdown.utils;
  /** @type {(names: string) => RenderRule} */
  const span = (names) => (tokens, index) =>
    `<span class="${names}">${escapeHtml(tokens[index].content)}</span>`;
  markdown.inline.ruler.before("escape", "math", inLine);
  markdown.block.ruler.before("fence", "math_block", inBlock, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  const inline = span("math");
  const block = span("math displayed");
  /** @param {Token} token */
  const isDisplayed = ({ content }) => content.startsWith("$$") || content.startsWith("\\[");
  markdown.renderer.rules.math = (tokens, index) =>
    (isDisplayed(tokens[index]) ? block : inline)(tokens, index);
  markdown.renderer.rules.math_block = (tokens, index) => `<p>${block(tokens, index)}</p>\n`;
  markdown.renderer.rules.math_begun = (tokens, index) => `<p>${span("begun")(tokens, index)}</p>\n`;
}
