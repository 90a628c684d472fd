/**
 * Markdown to DOM nodes. Whatever the text is, nothing in it runs, loads or leaves the page.
 *
 * markdown-it makes HTML with raw HTML escaped; DOMPurify then lets only the tags listed here through.
 * Pictures become links: a picture is a request that the reader never asked for.
 */
import MarkdownIt from "./vendor/markdown-it.mjs";
import DOMPurify from "./vendor/purify.mjs";

const LONGEST = 200_000; // characters of source, above which text is shown as it is
const LONGEST_HTML = 1_000_000;
const DEEPEST = 98; // markdown-it drops, without a word, what is nested deeper than its maxNesting of 100

const TAGS = `a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul`.split(" ");
const PURIFY = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["class", "href", "start", "title"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const markdown = new MarkdownIt({ html: false, linkify: true });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.renderer.rules.image = (tokens, index) => picture(tokens[index]);
markdown.renderer.rules.th_open = (tokens, index) => `<th${alignment(tokens[index])}>`;
markdown.renderer.rules.td_open = (tokens, index) => `<td${alignment(tokens[index])}>`;

function picture(token) {
  const { escapeHtml } = markdown.utils;
  const source = token.attrGet("src");
  const label = escapeHtml(token.content || source);
  return /^https?:/i.test(source) ? `<a href="${escapeHtml(source)}">${label}</a>` : label;
}

function alignment(token) {
  const side = /(left|center|right)/.exec(token.attrGet("style") ?? "");
  return side ? ` class="${side[1]}"` : "";
}

// Marks that can make text read in another order than it is (https://trojansource.codes), as characters to be seen.
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;
const named = (mark) => `[U+${mark.codePointAt(0).toString(16).toUpperCase()}]`;

/** The text with the characters that reorder it made visible. */
export const visible = (text) => text.replace(BIDI, named);

/** Block tokens of the source, or null where the text had better be shown as it is. */
export function parse(source, references = {}) {
  if (source.length > LONGEST) return null;
  try {
    const tokens = markdown.parse(visible(source), references);
    return tokens.some((token) => token.level >= DEEPEST) ? null : tokens;
  } catch {
    return null; // deeper than the stack: a RangeError
  }
}

/** The source as nodes: rendered, or in a `pre` when it is too long or too deep. */
export function render(source) {
  const references = {};
  const tokens = parse(source, references);
  const html = tokens && markdown.renderer.render(tokens, markdown.options, references);
  return html !== null && html.length <= LONGEST_HTML ? dress(DOMPurify.sanitize(html, PURIFY)) : plain(source);
}

function plain(source) {
  const element = document.createElement("pre");
  element.className = "plain";
  element.textContent = visible(source);
  return element;
}

function dress(fragment) {
  fragment.querySelectorAll("a[href]").forEach(guard);
  fragment.querySelectorAll("pre").forEach(frame);
  fragment.querySelectorAll("table").forEach(scroll);
  return fragment;
}

/** A link that opens apart, tells the other side nothing and says where it leads. */
function guard(link) {
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.title = link.href;
  const { host } = link;
  if (host && !link.textContent.includes(host)) link.dataset.host = host;
}

function frame(pre) {
  const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "");
  const box = document.getElementById("code-template").content.firstElementChild.cloneNode(true);
  box.dataset.language = language ? language[1] : "text";
  pre.tabIndex = 0;
  pre.replaceWith(box);
  box.append(pre);
}

function scroll(table) {
  const box = document.createElement("div");
  box.className = "scroll";
  box.tabIndex = 0;
  table.replaceWith(box);
  box.append(table);
}
