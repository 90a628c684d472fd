/**
 * The footnotes of a text on the page: its citations numbered in their order, and below it the notes, with links both ways.
 */
import { all, create, inside } from "../lib/dom.js";
import { firstIn } from "./directions.js";
import { keyOf, render } from "./markdown.js";
import { dress, morphAll, sourceOf } from "./morph.js";

/**
 * The number of a note, and how often it is cited.
 * @typedef {{number: number, count: number}} NoteNumber
 */

/**
 * A note's element, its content, the links behind that, and what it was made of.
 * @typedef {{element: HTMLLIElement, content: Element[], back: HTMLElement, source?: string, targets?: number, open?: boolean}} Item
 */

export class Notes {
  /**
   * Shows the notes of an element's text at its end; `undress` is told of the elements that are new.
   * @param {Element} element
   * @param {(elements: Element[]) => void} undress
   */
  constructor(element, undress) {
    this.element = element;
    this.undress = undress;
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** @type {HTMLElement | null} */
    this.box = null;
    this.name = "";
  }

  /**
   * Brings numbers and notes in line with the text. While it is `open` its last note grows, and others may come; in the end a
   * citation without one is text as it was written.
   * @param {Map<string, string>} sources
   * @param {Environment["references"]} references
   * @param {string | undefined} last
   * @param {boolean} open
   */
  show(sources, references, last, open) {
    /** @type {HTMLElement | null} */
    const block = this.element.closest("[data-key]");
    this.name = block?.dataset.key ?? "";
    /** @param {string} key */
    const isNote = (key) => open || sources.has(key);
    /** @type {Map<string, NoteNumber>} */
    const numbers = new Map(); // of each key, in the order of their numbers
    this.cite(all(this.element, ".piece .citation"), numbers, isNote);
    /** @type {HTMLElement[]} */
    const items = [];
    /** @param {string} key */
    const add = (key) => {
      const source = sources.get(key);
      if (source === undefined) return;
      const item = this.item(key, source, references, numberOf(numbers, key).number, open && key === last);
      items.push(item);
      this.cite(all(item, ".citation"), numbers, isNote);
    };
    for (const key of numbers.keys()) add(key); // those too that a note cites
    for (const key of sources.keys()) if (numberOf(numbers, key).count === 0) add(key);
    for (const [key, note] of numbers) this.leadBack(this.items.get(key), note);
    this.place(items);
  }

  /**
   * Numbers citations, those of one note alike.
   * @param {HTMLElement[]} elements
   * @param {Map<string, NoteNumber>} numbers
   * @param {(key: string) => boolean} isNote
   */
  cite(elements, numbers, isNote) {
    for (const element of elements) {
      const label = sourceOf(element);
      const key = keyOf(label);
      if (isNote(key)) {
        const note = numberOf(numbers, key);
        note.count += 1;
        this.link(element, label, note);
      } else element.replaceWith(`[^${label}]`);
    }
  }

  /**
   * @param {HTMLElement} element
   * @param {string} label
   * @param {NoteNumber} note
   */
  link(element, label, { number, count }) {
    const id = `cite-${this.name}-${number}-${count}`;
    if (element.id === id) return;
    dress(element, label);
    element.id = id;
    element.replaceChildren(element.parentElement?.closest("a") ? String(number) : this.linkTo(number));
  }

  /** @param {number} number */
  linkTo(number) {
    const link = create("a", "", String(number));
    link.setAttribute("role", "doc-noteref");
    link.href = `#note-${this.name}-${number}`;
    return link;
  }

  /** @type {(key: string, source: string, references: Environment["references"], number: number, open: boolean) => HTMLElement} */
  item(key, source, references, number, open) {
    const item = this.items.get(key) ?? emptyItem();
    this.items.set(key, item);
    const { element } = item;
    const targets = Object.keys(references).length;
    if (element.value !== number)
      Object.assign(element, { id: `note-${this.name}-${number}`, value: number });
    if (item.source === source && item.targets === targets && item.open === open) return element;
    const newer = render(source, { references: Object.create(references), open });
    const content = morphAll(element, item.content, newer, item.back);
    element.dir = firstIn(element);
    Object.assign(item, { source, targets, open, content });
    this.undress(content);
    return element;
  }

  /**
   * Puts a link to each citation behind the note.
   * @param {Item | undefined} item
   * @param {NoteNumber} note
   */
  leadBack(item, { number, count }) {
    const links = item?.back;
    if (!links || (links.childElementCount === count && links.dataset.number === String(number))) return;
    links.dataset.number = String(number);
    links.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const link = create("a", "", index ? `↩${index + 1}` : "↩");
        link.setAttribute("role", "doc-backlink");
        link.ariaLabel = `Back to where footnote ${number} is cited${index ? `, ${index + 1}` : ""}`;
        link.href = `#cite-${this.name}-${number}-${index + 1}`;
        return link;
      }),
    );
  }

  /** @param {HTMLElement[]} items */
  place(items) {
    if (!items.length && !this.box) return;
    this.box ??= emptyBox();
    if (this.element.lastElementChild !== this.box) this.element.append(this.box);
    const list = inside(this.box, "ol");
    for (const [index, item] of items.entries())
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    while (list.children.length > items.length) list.lastElementChild?.remove();
    this.box.hidden = !items.length;
  }
}

/**
 * What is cited gets its number there, what is not in the end.
 * @param {Map<string, NoteNumber>} numbers
 * @param {string} key
 */
function numberOf(numbers, key) {
  const note = numbers.get(key) ?? { number: numbers.size + 1, count: 0 };
  numbers.set(key, note);
  return note;
}

/** @returns {Item} */
function emptyItem() {
  const back = create("span", "back");
  return { element: create("li", "", back), content: [], back };
}

function emptyBox() {
  const box = create("section", "notes", create("ol"));
  box.setAttribute("role", "doc-endnotes");
  box.ariaLabel = "Footnotes";
  return box;
}
