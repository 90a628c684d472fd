/**
 * Footnotes in markdown, as GitHub reads them: `[^label]` cites what `[^label]: ...` says, wherever in the text that stands.
 *
 * A text comes in blocks, a citation mostly before its note. So a parse numbers nothing: a citation is its label in a `sup`, and
 * a note is put into the environment's `notes`, by its label, as the source that it is.
 */

const CITATION = /\[\^([^\]\s]{1,100})\]/y;
const CHARACTERS = /\\|^(?:a-z|A-Z|0-9)|^[^\p{L}\p{N}*†‡§¶#]+$/u; // of a regular expression, such as [^0-9]
const NOTE = /^\[\^([^\]\s]{1,100})\]:[ \t]*/;
const INDENT = /^(?: {1,4}|\t)/gm;

/**
 * Teaches a MarkdownIt to find citations and notes.
 * @param {MarkdownIt} markdown
 */
export function footnotes(markdown) {
  const { escapeHtml, normalizeReference } = markdown.utils;
  markdown.block.ruler.before("reference", "note", noteRule(normalizeReference), {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  markdown.inline.ruler.after("image", "citation", cite);
  markdown.renderer.rules.note = () => "";
  markdown.renderer.rules.citation = (tokens, index) =>
    `<sup class="citation">${escapeHtml(tokens[index].content)}</sup>`;
}

/** @type {(state: InlineState, silent: boolean) => boolean} */
function cite(state, silent) {
  CITATION.lastIndex = state.pos;
  const label = CITATION.exec(state.src)?.[1];
  if (!label || CHARACTERS.test(label)) return false;
  if (!silent) state.push("citation", "sup", 0).content = label;
  state.pos = CITATION.lastIndex;
  return true;
}

/** @type {(keyOf: (label: string) => string) => BlockRule} */
const noteRule = (keyOf) => (state, begin, end, silent) => {
  const first = state.getLines(begin, begin + 1, state.blkIndent, false);
  const label = state.sCount[begin] - state.blkIndent < 4 && NOTE.exec(first.trimStart())?.[1];
  if (!label || CHARACTERS.test(label)) return false;
  if (silent) return true;
  const last = endOf(state, begin, end);
  const lines = state.getLines(begin, last, state.blkIndent, false).trimStart();
  const token = state.push("note", "", 0);
  token.map = [begin, last];
  token.hidden = true;
  state.line = last;
  const { notes } = state.env;
  if (notes && !notes.has(keyOf(label))) notes.set(keyOf(label), lines.replace(NOTE, "").replace(INDENT, ""));
  return true;
};

/**
 * A note goes on over lines that are indented and, as a paragraph does, over others until a blank line or another block.
 * @param {BlockState} state
 * @param {number} begin
 * @param {number} end
 */
function endOf(state, begin, end) {
  const { parentType } = state;
  const rules = state.md.block.ruler.getRules("paragraph");
  let last = begin + 1;
  state.parentType = "paragraph";
  for (let line = last; line < end && goesOn(state, rules, line, last, end); line += 1)
    if (!state.isEmpty(line)) last = line + 1;
  state.parentType = parentType;
  return last;
}

/** @type {(state: BlockState, rules: BlockRule[], line: number, last: number, end: number) => boolean} */
function goesOn(state, rules, line, last, end) {
  const indent = state.sCount[line] - state.blkIndent;
  if (state.isEmpty(line) || indent >= 4) return true;
  return indent >= 0 && line === last && !rules.some((rule) => rule(state, line, end, true));
}
