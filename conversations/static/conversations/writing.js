/**
 * A text block while it is written: only its unfinished end is rendered again.
 */
import { parse, render } from "./markdown.js";

const PATIENCE = 4; // rendering takes at most a fifth of the time

/** Where the last top-level block of the source begins, as an offset: what is before it will not change any more. */
function lastBlock(source) {
  const starts = (parse(source) ?? []).filter((token) => token.level === 0 && token.map && token.nesting >= 0);
  const line = starts.at(-1)?.map[0] ?? 0;
  let offset = 0;
  for (let passed = 0; passed < line; passed += 1) offset = source.indexOf("\n", offset) + 1;
  return offset;
}

/** Shows a growing text in an element. */
export class Writing {
  constructor(element) {
    this.element = element;
    this.settled = 0;
    this.tail = null;
    this.due = 0;
  }

  /** Shows the text so far; false when it was put off to spare the reader's machine. */
  show(text, open) {
    if (!open) return this.finish(text);
    const began = performance.now();
    if (began < this.due) return false;
    this.grow(text);
    const ended = performance.now();
    this.due = ended + PATIENCE * (ended - began);
    return true;
  }

  grow(text) {
    if (this.tail === null) this.begin();
    const rest = text.slice(this.settled);
    const last = lastBlock(rest);
    if (last > 0) this.element.insertBefore(render(rest.slice(0, last)), this.tail);
    this.settled += last;
    this.tail.replaceChildren(render(text.slice(this.settled)));
  }

  begin() {
    this.tail = document.createElement("div");
    this.tail.className = "tail";
    this.element.replaceChildren(this.tail);
    this.element.classList.add("rendered");
  }

  // Rendered as a whole once more: a link's target may have been given after its use.
  finish(text) {
    this.element.replaceChildren(render(text));
    this.element.classList.add("rendered");
    return true;
  }
}
