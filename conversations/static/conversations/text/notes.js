/**
 * The footnotes of a text on the page: its citations numbered in their order, and below it the notes, with links both ways.
 */
import { create } from "../lib/dom.js";
import { firstIn } from "./directions.js";
import { keyOf, render } from "./markdown.js";
import { dress, morphAll, sourceOf } from "./morph.js";

export class Notes {
  /** Shows the notes of an element's text at its end; `undress` is told of the elements that are new. */
  constructor(element, undress) {
    this.element = element;
    this.undress = undress;
    this.items = new Map(); // of each note: its element and content, and what that was made of
    this.box = null;
  }

  /**
   * Brings numbers and notes in line with the text. While it is `open` its last note grows, and others may come; in the end a
   * citation without one is text as it was written.
   */
  show(sources, references, last, open) {
    this.name = this.element.closest("[data-key]")?.dataset.key ?? "";
    const isNote = (key) => open || sources.has(key);
    const citations = new Map(); // of each key, in the order of their numbers
    this.cite(this.element.querySelectorAll(".piece .citation"), citations, isNote);
    const items = [];
    const add = (key) => {
      if (!sources.has(key)) return;
      items.push(
        this.item(key, sources.get(key), references, citations.get(key).number, open && key === last),
      );
      this.cite(items.at(-1).querySelectorAll(".citation"), citations, isNote);
    };
    for (const key of citations.keys()) add(key); // those too that a note cites
    for (const key of sources.keys()) if (number(citations, key).count === 0) add(key);
    for (const [key, { number, count }] of citations)
      this.leadBack(this.items.get(key)?.element, number, count);
    this.place(items);
  }

  /** Numbers citations, those of one note alike. */
  cite(elements, citations, isNote) {
    for (const element of elements) {
      const label = sourceOf(element);
      const key = keyOf(label);
      if (isNote(key)) {
        const citation = number(citations, key);
        citation.count += 1;
        this.link(element, label, citation);
      } else element.replaceWith(`[^${label}]`);
    }
  }

  link(element, label, { number, count }) {
    const id = `cite-${this.name}-${number}-${count}`;
    if (element.id === id) return;
    dress(element, label);
    element.id = id;
    element.replaceChildren(element.parentElement.closest("a") ? String(number) : this.linkTo(number));
  }

  linkTo(number) {
    const link = create("a", "", String(number));
    link.setAttribute("role", "doc-noteref");
    link.href = `#note-${this.name}-${number}`;
    return link;
  }

  item(key, source, references, number, open) {
    if (!this.items.has(key)) this.items.set(key, emptyItem());
    const item = this.items.get(key);
    const { element } = item;
    const targets = Object.keys(references).length;
    if (element.value !== number)
      Object.assign(element, { id: `note-${this.name}-${number}`, value: number });
    if (item.source === source && item.targets === targets && item.open === open) return element;
    const now = render(source, { references: Object.create(references), open });
    const content = morphAll(element, item.content, now, element.lastElementChild);
    element.dir = firstIn(element);
    Object.assign(item, { source, targets, open, content });
    this.undress(content);
    return element;
  }

  /** Puts a link to each citation behind the note. */
  leadBack(element, number, count) {
    const links = element?.lastElementChild;
    if (!links || (links.childElementCount === count && links.dataset.number === String(number))) return;
    links.dataset.number = number;
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

  place(items) {
    if (!items.length && !this.box) return;
    this.box ??= emptyBox();
    if (this.element.lastElementChild !== this.box) this.element.append(this.box);
    const list = this.box.firstElementChild;
    for (const [index, item] of items.entries())
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    while (list.children.length > items.length) list.lastElementChild.remove();
    this.box.hidden = !items.length;
  }
}

// What is cited gets its number there, what is not in the end.
function number(citations, key) {
  if (!citations.has(key)) citations.set(key, { number: citations.size + 1, count: 0 });
  return citations.get(key);
}

const emptyItem = () => ({ element: create("li", "", create("span", "back")), content: [] });

function emptyBox() {
  const box = create("section", "notes", create("ol"));
  box.setAttribute("role", "doc-endnotes");
  box.ariaLabel = "Footnotes";
  return box;
}
