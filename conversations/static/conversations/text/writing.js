/**
 * A text block while it is written or read in: what is finished is rendered once and not touched again, the open block alone is rendered
 * again, and what is not rendered yet stands there as it was written. A deadline bounds its share of a frame.
 */
import { foldLines, isReadInside } from "../lib/folding.js";
import { highlight } from "./code.js";
import { typeset } from "./formulas.js";
import { blocks, labelsWithout, render } from "./markdown.js";
import { isDressed, morphAll } from "./morph.js";
import { Notes } from "./notes.js";
import { fenceEnd, Long, Pieces } from "./pieces.js";

const PATIENCE = 4; // rendering the open block takes at most a fifth of the time
const WINDOW = 8_000; // characters that are looked at for finished blocks
const PIECE = 4_000; // characters after which another piece begins, which is laid out when it comes into sight
const LIST = 8_000; // characters after which a list goes on in a new one
const BLOCK = 32_000; // characters after which a block is shown as it was written
const DRESSED = ".math, pre code"; // what is printed or coloured once it is finished

/** Shows a growing text in an element, or another text in its place. */
export class Writing {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    /** @type {GrowingText | null} */
    this.growing = null;
  }

  /**
   * Shows the text so far, until the deadline at most; false when something was put off.
   * @type {(text: string, open: boolean, deadline: number) => boolean}
   */
  show(text, open, deadline) {
    const growing = this.growing;
    const isSame = growing !== null && text.startsWith(growing.text);
    return (isSame ? growing : this.begin(text)).show(text, open, deadline);
  }

  /** @param {string} text */
  begin(text) {
    if (this.growing !== null || !text.startsWith(this.element.textContent)) this.element.replaceChildren();
    this.growing = new GrowingText(this.element);
    return this.growing;
  }
}

/**
 * A source whose links have no targets yet, its elements, and the labels of those links.
 * @typedef {{source: string, elements: Element[], labels: string[]}} Unresolved
 */

class GrowingText {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.text = "";
    this.finishedTo = 0;
    this.drawnTo = 0;
    this.due = 0; // when the open block may be rendered again
    /** @type {HTMLElement | null} */
    this.piece = null;
    this.length = 0; // of what the piece shows
    /** @type {Element[]} */
    this.openElements = [];
    /** @type {string | null} */
    this.openText = null; // that these were rendered of
    /** @type {Long | null} */
    this.long = null;
    /** @type {Environment["references"]} */
    this.references = {};
    /** @type {Unresolved[]} */
    this.unresolved = [];
    /** @type {Unresolved[]} */
    this.stale = [];
    /** @type {Element[]} */
    this.undressed = [];
    /** @type {Map<string, string>} */
    this.sources = new Map(); // of footnotes
    /** @type {Map<string, string>} */
    this.openSources = new Map();
    this.notes = new Notes(this.element, (elements) => this.undress(elements, DRESSED));
    this.isCited = false;
    this.isUnnumbered = false;
    this.numberedState = "";
    this.rest = new Pieces(this.element, "div", "raw");
    this.rest.adopt();
  }

  /** @type {(text: string, open: boolean, deadline: number) => boolean} */
  show(text, open, deadline) {
    this.text = text;
    if (open && performance.now() < this.due) return false;
    const isRendered = this.render(open, deadline);
    if (isRendered) this.rest.clear();
    else this.rest.show(text, this.drawnTo);
    if (this.drawnTo || isRendered) this.element.classList.add("rendered");
    this.numberNotes(open || !isRendered);
    const isComplete = this.catchUp(deadline);
    this.numberNotes(open || !isRendered); // what was rendered again
    return isComplete && isRendered;
  }

  // -- what is finished, and what is open

  /**
   * Renders until the deadline; false when something is left.
   * @type {(open: boolean, deadline: number) => boolean}
   */
  render(open, deadline) {
    while (performance.now() < deadline) if (!this.step(open)) return this.end(open);
    return false;
  }

  /**
   * Shows for good what is finished next; false when nothing is.
   * @type {(open: boolean) => boolean}
   */
  step(open) {
    if (this.long) return this.goOn(open);
    for (const size of [WINDOW, BLOCK]) {
      const source = this.text.slice(this.finishedTo, this.finishedTo + size);
      const { starts, kind, markup } = blocks(source, LIST);
      const next = starts.find(({ at, isItem }) => isItem || this.length + at >= PIECE) ?? starts.at(-1);
      if (next) return this.finish(next.at);
      if (source.length < size) return false;
      if (size === BLOCK) return this.beginLong(source, kind === "fence" && markup, open);
    }
    return false;
  }

  /** @param {number} length */
  finish(length) {
    const source = this.text.slice(this.finishedTo, this.finishedTo + length);
    const count = Object.keys(this.references).length;
    const elements = this.put(render(source, { references: this.references, notes: this.sources }), DRESSED);
    this.drawnTo = this.finishedTo += length;
    this.length += length;
    this.openElements = [];
    this.openSources = new Map();
    this.openText = null;
    if (this.length >= PIECE) this.endPiece("full");
    if (Object.keys(this.references).length > count) this.resolve();
    const labels = labelsWithout(source, this.references);
    if (labels.length && elements.length) this.unresolved.push({ source, elements, labels });
    return true;
  }

  /** @param {boolean} open */
  end(open) {
    if (!this.long && !open && this.finishedTo < this.text.length)
      this.finish(this.text.length - this.finishedTo);
    if (!this.long && open && this.openText !== this.text) this.showOpen();
    return true;
  }

  showOpen() {
    const start = performance.now();
    this.openSources = new Map();
    const environment = { references: Object.create(this.references), notes: this.openSources, open: true };
    this.openElements = this.put(render(this.text.slice(this.finishedTo), environment), ".math");
    this.drawnTo = this.text.length;
    this.openText = this.text;
    const end = performance.now();
    this.due = end + PATIENCE * (end - start);
  }

  /**
   * Puts elements where the open ones stand; what the selector finds in them is dressed later.
   * @param {Element[]} elements
   * @param {string} selector
   */
  put(elements, selector) {
    this.piece ??= this.addPiece();
    /** @param {Element} element */
    const isCiting = (element) => element.querySelector(".citation") !== null;
    const wasCiting = this.openElements.some(isCiting);
    const all = morphAll(this.piece, this.openElements, elements);
    this.undress(all, selector);
    const isCited = all.some(isCiting);
    this.isUnnumbered ||= isCited || wasCiting;
    this.isCited ||= isCited;
    return all;
  }

  /**
   * Notes what is to be dressed in the elements.
   * @param {Element[]} elements
   * @param {string} selector
   */
  undress(elements, selector) {
    for (const element of elements)
      for (const part of element.querySelectorAll(selector)) if (!isDressed(part)) this.undressed.push(part);
  }

  addPiece() {
    const piece = document.createElement("div");
    piece.className = "piece";
    return this.element.insertBefore(piece, this.rest.pieces[0]?.node ?? this.notes.box);
  }

  /** @param {string} [name] */
  endPiece(name) {
    if (name) this.piece?.classList.add(name);
    this.piece = null;
    this.length = 0;
    this.openElements = [];
  }

  // -- blocks that are too long

  /**
   * @param {string} source
   * @param {string | false | undefined} fence
   * @param {boolean} open
   */
  beginLong(source, fence, open) {
    for (const element of this.openElements) element.remove();
    this.endPiece();
    const first = fence ? source.indexOf("\n") + 1 : 0;
    this.piece = this.addPiece();
    const box = first ? this.put(render(source.slice(0, first)), "none")[0] : this.piece;
    this.long = new Long(
      box.querySelector("code") ?? box,
      this.finishedTo + first,
      fence ? fenceEnd(fence) : undefined,
    );
    return this.goOn(open);
  }

  /** @param {boolean} open */
  goOn(open) {
    const { long } = this;
    if (!long) return false;
    const end = long.show(this.text, open);
    this.drawnTo = this.finishedTo = end ?? this.text.length;
    if (end === undefined) return false;
    long.fold();
    this.long = null;
    this.endPiece();
    return true;
  }

  // -- footnotes

  /**
   * Numbers citations and shows notes where either has changed; that takes its share of the time as rendering does.
   * @param {boolean} open
   */
  numberNotes(open) {
    const state = JSON.stringify([open, this.sources.size, ...this.openSources]);
    if (!this.isUnnumbered && state === this.numberedState) return;
    this.isUnnumbered = false;
    this.numberedState = state;
    const sources = new Map([...this.openSources, ...this.sources]);
    if (!this.isCited && !sources.size) return;
    const start = performance.now();
    this.notes.show(sources, this.references, [...this.openSources.keys()].at(-1), open);
    this.due = Math.max(this.due, start) + (1 + PATIENCE) * (performance.now() - start);
  }

  // -- what follows when the blocks are there: targets that were given after their links, formulas, colours

  resolve() {
    this.isUnnumbered = true;
    /** @param {string} label */
    const isKnown = (label) => label in this.references;
    this.stale.push(...this.unresolved.filter(({ labels }) => labels.some(isKnown)));
    this.unresolved = this.unresolved.filter(({ labels }) => !labels.some(isKnown));
  }

  /**
   * Resolves links and dresses elements until the deadline; one at least, or else a slow machine would never come to it.
   * @param {number} deadline
   */
  catchUp(deadline) {
    while (this.stale.length || this.undressed.length) {
      const outdated = this.stale.pop();
      if (outdated) this.renderAgain(outdated);
      else if (!this.dress(this.undressed[this.undressed.length - 1])) return false;
      else this.undressed.pop();
      if (performance.now() > deadline) return !this.stale.length && !this.undressed.length;
    }
    return true;
  }

  /**
   * Prints a formula or colours code; false while that cannot be done yet. What was replaced meanwhile is passed over.
   * @param {Element} element
   */
  dress(element) {
    if (!this.element.contains(element) || isDressed(element)) return true;
    if (element.matches(".math")) return typeset(element);
    const pre = element.parentElement;
    if (pre && !isReadInside(pre)) foldLines(pre);
    return highlight(element);
  }

  /** @param {Unresolved} unresolved */
  renderAgain({ source, elements }) {
    const newer = render(source, { references: this.references });
    const behind = elements[elements.length - 1].nextSibling;
    const all = morphAll(elements[0].parentNode ?? this.element, elements, newer, behind);
    this.undress(all, DRESSED);
    this.isUnnumbered = true;
    const labels = labelsWithout(source, this.references);
    if (labels.length) this.unresolved.push({ source, elements: all, labels });
  }
}
