/**
 * Text that is too long to be laid out at once, in pieces that the browser lays out as they come into sight.
 */
import { foldLines } from "../lib/folding.js";
import { visible } from "../lib/format.js";

const LONGEST = 4_000; // characters; the server cuts in the same way (web/sections.py)

/**
 * Where the piece that begins there ends: behind a line, else a word, else wherever it must.
 * @param {string} text
 * @param {number} start
 */
export function endOf(text, start) {
  const most = text.slice(start, start + LONGEST);
  if (start + LONGEST >= text.length) return text.length;
  const length =
    most.lastIndexOf("\n") + 1 ||
    most.lastIndexOf(" ") + 1 ||
    most.length - Number(/[\ud800-\udbff]$/.test(most));
  return start + length;
}

/**
 * An element, and the part of the text that it shows.
 * @typedef {{node: Element, start: number, end: number}} Piece
 */

export class Pieces {
  /**
   * Makes its pieces, of this tag and class, the last children of the parent.
   * @param {Element} parent
   * @param {string} tag
   * @param {string} name
   */
  constructor(parent, tag, name) {
    this.parent = parent;
    this.tag = tag;
    this.name = name;
    /** @type {Piece[]} */
    this.pieces = [];
  }

  /** Takes over what the server made: pieces, or a short text. */
  adopt() {
    if (this.parent.firstChild && !this.parent.firstElementChild) this.wrap();
    let end = 0;
    for (const node of this.parent.children) {
      const start = end;
      end += node.textContent.length;
      this.pieces.push({ node, start, end });
      node.classList.add(this.name);
    }
  }

  wrap() {
    const node = document.createElement(this.tag);
    node.className = "piece";
    node.append(...this.parent.childNodes);
    this.parent.append(node);
  }

  /**
   * Shows the text from `from` on; only its ends may have changed since the last time.
   * @param {string} text
   */
  show(text, from = 0) {
    this.dropBefore(text, from);
    let piece = this.pieces.at(-1) ?? this.add(from);
    if (text.length === piece.end) return;
    for (;;) {
      this.write(piece, text, piece.start, endOf(text, piece.start));
      if (piece.end === text.length) return;
      piece.node.classList.add("full");
      piece = this.add(piece.end);
    }
  }

  /**
   * @param {string} text
   * @param {number} from
   */
  dropBefore(text, from) {
    while (this.pieces[0]?.end <= from) this.pieces.shift()?.node.remove();
    const [first] = this.pieces;
    if (first?.start < from) this.write(first, text, from, first.end);
  }

  /** @param {number} start */
  add(start) {
    const node = document.createElement(this.tag);
    node.className = `piece ${this.name}`;
    this.parent.append(node);
    const piece = { node, start, end: start };
    this.pieces.push(piece);
    return piece;
  }

  /** @type {(piece: Piece, text: string, start: number, end: number) => void} */
  write(piece, text, start, end) {
    Object.assign(piece, { start, end });
    piece.node.textContent = visible(text.slice(start, end));
  }

  /** Takes all of it away. */
  clear() {
    for (const { node } of this.pieces) node.remove();
    this.pieces = [];
  }
}

const BLANK = /\n[ \t]*\n/g;

/**
 * The end of a code block that was opened with this markup.
 * @param {string} markup
 */
export const fenceEnd = (markup) => new RegExp(`^ {0,3}${markup[0]}{${markup.length},}[ \\t]*$\\n?`, "gm");

export class Long {
  /**
   * Text from an offset on, in pieces of an element; it ends at the expression: a blank line, or a fence.
   * @param {Element} element
   * @param {number} from
   */
  constructor(element, from, end = BLANK) {
    this.from = from;
    this.end = end;
    this.seen = from;
    this.pieces = new Pieces(element, end === BLANK ? "div" : "span", "raw");
  }

  /** Folds what has come to its end, if it is code. */
  fold() {
    const code = this.pieces.parent.closest("pre");
    if (code) foldLines(code);
  }

  /**
   * Shows the text as far as this block goes; where it ends, or `undefined` while it goes on. Only whole lines can end it.
   * @param {string} text
   * @param {boolean} open
   */
  show(text, open) {
    const whole = open ? text.lastIndexOf("\n") + 1 : text.length;
    this.end.lastIndex = this.seen;
    const match = this.end.exec(text);
    const isOver = match !== null && this.end.lastIndex <= whole;
    const end = isOver ? this.end.lastIndex : undefined;
    this.pieces.show(text.slice(this.from, isOver ? match.index : text.length));
    this.seen = Math.max(this.from, whole - 1);
    return end;
  }
}
