/**
 * Markdown to DOM nodes. Whatever the text is, nothing in it runs, loads or leaves the page.
 *
 * markdown-it makes HTML with raw HTML escaped; DOMPurify then lets only the tags listed here through.
 * Pictures become links: a picture is a request that the reader did not make.
 */
import { fromTemplate } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import MarkdownIt from "../vendor/markdown-it.mjs";
import cjkFriendly from "../vendor/markdown-it-cjk-friendly.mjs";
import { tasklist } from "../vendor/markdown-it-tasklist.mjs";
import DOMPurify from "../vendor/purify.mjs";
import { cellBreaks } from "./breaks.js";
import { expectCode } from "./code.js";
import { direct } from "./directions.js";
import { footnotes } from "./footnotes.js";
import { math } from "./math.js";
import { decided, undecided } from "./undecided.js";

const LONGEST_HTML = 1_000_000;
const DEEPEST = 98; // markdown-it drops, without a word, what is nested deeper than its maxNesting of 100

const TAGS =
  `a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong sup table tbody td th thead tr ul`.split(
    " ",
  );
const PURIFY = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["class", "href", "start", "title"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ADD_URI_SAFE_ATTR: ["start"], // a number, not an address
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** @type {MarkdownIt<Environment>} */
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown
  .use(math)
  .use(cjkFriendly)
  .use(cellBreaks)
  .use(footnotes)
  .use(undecided)
  .use(tasklist, { label: false });
markdown.renderer.rules.checkbox_input = (tokens, index) =>
  tokens[index].attrGet("checked") === null ? "☐" : "☑";
markdown.renderer.rules.image = (tokens, index) => picture(tokens[index]);
markdown.renderer.rules.th_open = (tokens, index) => `<th${alignment(tokens[index])}>`;
markdown.renderer.rules.td_open = (tokens, index) => `<td${alignment(tokens[index])}>`;

markdown.core.ruler.after("block", "lower_headings", lowerHeadings);

/** @param {Token} token */
function picture(token) {
  const { escapeHtml } = markdown.utils;
  const source = token.attrGet("src") ?? "";
  const label = escapeHtml(token.content || source);
  return /^https?:/i.test(source) ? `<a href="${escapeHtml(source)}">${label}</a>` : label;
}

/**
 * The page's own heading is the only h1.
 * @param {CoreState} state
 */
function lowerHeadings({ tokens }) {
  for (const token of tokens)
    if (token.type.startsWith("heading_")) token.tag = `h${Math.min(6, Number(token.tag[1]) + 1)}`;
}

/** @param {Token} token */
function alignment(token) {
  const side = /(left|center|right)/.exec(token.attrGet("style") ?? "");
  return side ? ` class="${side[1]}"` : "";
}

/**
 * Where each line of the source begins; markdown-it counts lines in this way.
 * @param {string} source
 */
function linesOf(source) {
  return [0, ...Array.from(source.matchAll(/\r\n?|\n/g), (end) => end.index + end[0].length)];
}

/**
 * Where blocks begin in the source's whole lines, as offsets but 0: what is before them will not change any more, whatever follows.
 * A list longer than `longest` begins anew with an item (`isItem`). Also the first block's `kind` and `markup`.
 * @param {string} source
 * @param {number} longest
 */
export function blocks(source, longest) {
  /** @type {Token[]} */
  const tokens = [];
  const whole = source.slice(0, source.lastIndexOf("\n") + 1);
  const environment = { references: {}, open: true };
  markdown.block.parse(visible(whole).replace(/\r\n?/g, "\n"), markdown, environment, tokens);
  /** @param {Token} token */
  const isItem = ({ level, type }) => level === 1 && type === "list_item_open";
  const starts = tokens.filter((token) => token.nesting >= 0 && (token.level === 0 || isItem(token)));
  if (starts.at(-1)?.type === "math_begun") starts.pop(); // it may still turn out to be a paragraph's
  const lines = linesOf(whole);
  const all = starts.map(({ level, map }) => ({ at: lines[map?.[0] ?? 0], isItem: level > 0 }));
  return { kind: tokens[0]?.type, markup: tokens[0]?.markup, starts: ends(all, longest) };
}

/**
 * Of a list's items only the first that is far enough from its beginning: those that follow are found from there on.
 * @param {{at: number, isItem: boolean}[]} starts
 * @param {number} longest
 */
function ends(starts, longest) {
  let list = 0;
  return starts.filter(({ at, isItem }) => {
    const isEnd = isItem ? at - list > longest : at > 0;
    if (!isItem) list = at;
    else if (isEnd) list = Infinity;
    return isEnd;
  });
}

/** A label as it is compared with others. */
export const keyOf = markdown.utils.normalizeReference;

/**
 * The labels that the source names in brackets and that have no target there, as they are compared.
 * @param {string} source
 * @param {Environment["references"]} references
 */
export function labelsWithout(source, references) {
  const labels = Array.from(source.matchAll(/\[(?!\^)((?:[^[\]\\]|\\.){1,999})\]/g), ([, label]) => label);
  return labels.map(keyOf).filter((label) => !(label in references));
}

/** @type {(source: string, environment: Environment) => Token[] | null} */
function parse(source, environment) {
  try {
    const tokens = markdown.parse(visible(source), environment);
    return tokens.some((token) => token.level >= DEEPEST) ? null : tokens;
  } catch {
    return null; // deeper than the stack: a RangeError
  }
}

/**
 * The source as HTML that nobody has cleaned yet; null when it is too deep.
 * @param {string} source
 * @param {Environment} environment
 */
export function htmlOf(source, environment = { references: {} }) {
  const tokens = parse(environment.open ? decided(source) : source, environment);
  return tokens && markdown.renderer.render(tokens, markdown.options, environment);
}

/**
 * The source as elements: rendered, or in a `pre` when it is too deep. The environment takes the targets and notes in it.
 * @param {string} source
 * @param {Environment} environment
 * @returns {Element[]}
 */
export function render(source, environment = { references: {} }) {
  const html = htmlOf(source, environment);
  const isShort = html !== null && html.length <= LONGEST_HTML;
  return isShort ? [...furnish(DOMPurify.sanitize(html, PURIFY)).children] : [plain(source)];
}

/** @param {string} source */
function plain(source) {
  const element = document.createElement("pre");
  element.className = "plain";
  element.dir = "auto";
  element.textContent = visible(source);
  return element;
}

/**
 * Gives rendered nodes what their tags alone have not: directions, safe links, frames.
 * @param {DocumentFragment} fragment
 */
function furnish(fragment) {
  direct(fragment);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = fragment.querySelectorAll("a[href]");
  links.forEach(guard);
  fragment.querySelectorAll("pre").forEach(frame);
  fragment.querySelectorAll("table").forEach(scroll);
  fragment.querySelectorAll("ol").forEach(makeRoom);
  return fragment;
}

/**
 * A link that opens apart, tells the other side nothing and says where it leads.
 * @param {HTMLAnchorElement} link
 */
function guard(link) {
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.title = link.href;
  const { host } = link;
  if (host && !link.textContent.includes(host)) link.dataset.host = host;
}

/** @param {HTMLPreElement} pre */
function frame(pre) {
  const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "");
  const box = fromTemplate("code-template");
  box.dir = "ltr";
  box.dataset.language = language ? language[1] : "text";
  if (language) expectCode();
  pre.tabIndex = 0;
  pre.replaceWith(box);
  box.append(pre);
}

/**
 * Makes room for the longest number of a list, beyond the two digits that all have room for.
 * @param {HTMLOListElement} list
 */
function makeRoom(list) {
  const { length } = String(list.start + list.childElementCount - 1);
  if (length > 2) list.style.setProperty("--digits", String(length));
}

/** @param {HTMLTableElement} table */
function scroll(table) {
  const box = document.createElement("div");
  box.className = "scroll";
  if (table.dir) box.dir = table.dir;
  box.tabIndex = 0;
  table.replaceWith(box);
  box.append(table);
}
