/**
 * The transcript: brings the page's elements in line with the state, touching only what has changed.
 */
import { drawModelPicture } from "../cards/pictures.js";
import { drawSources, mark } from "../cards/sources.js";
import { drawTool, openForPrint } from "../cards/tool.js";
import { all, fromTemplate, inside, setText } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { openPicturesOf } from "../lib/picture.js";
import { Writing } from "../text/writing.js";
import { asCall, textIn } from "./activities.js";
import { drawCalls, groupCalls } from "./calls.js";
import { drawFiles } from "./files.js";
import { drawFoot } from "./foot.js";
import { isBlock, sections } from "./layout.js";
import { picturesAddress } from "./page.js";

/**
 * Makes the children the parent's elements, in that order, moving as few as possible.
 * @param {Element} parent
 * @param {Element[]} children
 */
export function arrange(parent, children) {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = child.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

/** @type {(before: unknown[] | undefined, now: unknown[]) => boolean} */
const same = (before, now) =>
  before?.length === now.length && now.every((value, index) => value === before[index]);

/**
 * All that a section is made of; the rest follows from it.
 * @param {Section} section
 */
const factsOf = ({ turn, parts, sources, offers, goesOn, before }) => [
  ...[turn, parts.length, offers, goesOn, before],
  ...parts
    .flatMap((part) => (isBlock(part) ? part : part.blocks))
    .flatMap(({ message, result, marks }) => [message, result, String(marks)]),
  ...sources.map(({ message }) => message),
];

const BUDGET_MS = 8; // for drawing in a frame; text that is not rendered yet stands there as it was written

/** Shows states in the log; the elements that the server made are taken over. */
export class View {
  /** @param {HTMLElement} log */
  constructor(log) {
    this.log = log;
    /** @type {Map<string, HTMLElement>} */
    this.elements = new Map();
    /** @type {WeakMap<Element, unknown[]>} */
    this.drawn = new WeakMap();
    /** @type {WeakMap<Element, Writing>} */
    this.writings = new WeakMap();
    this.late = 0; // what was put off to the next frame
    this.deadline = 0; // of this one
    this.adopt();
    openPicturesOf(log);
    openForPrint(log);
  }

  adopt() {
    for (const element of all(this.log, "[data-key]")) this.elements.set(element.dataset.key ?? "", element);
  }

  /**
   * Shows the state; false when something was put off to a later frame.
   * @param {State} state
   * @param {UnsentMessage[]} outgoing
   */
  render(state, outgoing) {
    const newestFirst = sections(state, outgoing).reverse();
    this.late = 0;
    this.deadline = performance.now() + BUDGET_MS;
    arrange(this.log, newestFirst.map((section) => this.section(section)).reverse());
    return this.late === 0;
  }

  /**
   * Forgets the elements of turns, which are then made anew: back in time, nothing of the later may stay in them.
   * @param {string[]} turns
   */
  forget(turns) {
    for (const root of turns.map((id) => this.elements.get(`turn:${id}`)))
      for (const [key, element] of this.elements) if (root?.contains(element)) this.elements.delete(key);
  }

  /** @param {Section} section */
  section(section) {
    const element = this.element(section.key, "turn");
    this.once(element, factsOf(section), () => this.fill(element, section));
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Section} section
   */
  fill(element, section) {
    const { turn, parts, sources, offers, goesOn, before } = section;
    const [blocks, foot] = /** @type {HTMLElement[]} */ (Array.from(element.children));
    const last = parts.at(-1);
    const { late } = this;
    const elements = groupCalls(section).map((part) => this.part(part));
    arrange(blocks, sources.length ? [...elements, this.sources(section)] : elements);
    const message = last && isBlock(last) && last.message;
    this.once(foot, [turn, parts.length, message, offers, goesOn, before], () => {
      complete(foot, ".actions", () => inside(clone("turn"), ".foot").children);
      drawFoot(foot, section);
    });
    return this.late === late;
  }

  /** @param {Part | CallGroup} part */
  part(part) {
    if ("calls" in part) return this.calls(part);
    return isBlock(part) ? this.block(part) : this.attempt(part);
  }

  /** @param {Section} section */
  sources({ key, sources }) {
    const element = this.element(`sources:${key}`, "sources");
    const messages = sources.map(({ message }) => message);
    this.once(element, messages, () => drawSources(element, key, sources));
    return element;
  }

  /** @param {CallGroup} group */
  calls({ key, calls }) {
    const element = this.element(key, "calls");
    arrange(
      inside(element, ".cards"),
      calls.map((call) => this.block(call)),
    );
    this.once(element, [calls.length, ...calls.map(({ result }) => result)], () => drawCalls(element, calls));
    return element;
  }

  /**
   * Folded once something has followed it; before that and after it is the reader's.
   * @param {Attempt} attempt
   */
  attempt({ key, blocks, isLast = false }) {
    const element = this.element(key, "attempt");
    arrange(
      inside(element, ".attempted"),
      blocks.map((block) => this.block(block)),
    );
    if (element.dataset.last !== String(isLast)) element.toggleAttribute("open", isLast);
    element.dataset.last = String(isLast);
    return element;
  }

  /** @param {Block} block */
  block(block) {
    const element = this.element(block.id, block.kind);
    const { message, result, ended, interrupt, marks } = block;
    this.once(element, [message, result, ended, interrupt, String(marks)], () => this.draw(element, block));
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Block} block
   */
  draw(element, block) {
    const { message, kind } = block;
    const card = /** @type {HTMLDetailsElement} */ (element);
    if (kind === "tool") return drawTool(card, block);
    if (kind === "server") return drawTool(card, asCall(block));
    if (message.role === "activity") return drawModelPicture(element, message, picturesAddress());
    const text = inside(element, ".text");
    if (kind === "you") return drawQuestion(element, text, message);
    if (kind === "reasoning") drawSummary(element, message);
    const isWritten = this.write(text, message);
    mark(text, `turn:${message.metadata.turn}`, block.marks ?? []);
    return isWritten;
  }

  /**
   * @param {HTMLElement} text
   * @param {Message} message
   */
  write(text, message) {
    return this.writing(text).show(textIn(message), Boolean(message.metadata.open), this.deadline);
  }

  /**
   * Draws unless these very facts have been drawn; what says `false` is drawn again in the next frame. What is new
   * can wait, what has changed cannot.
   * @param {Element} element
   * @param {unknown[]} facts
   * @param {() => boolean | void} draw
   */
  once(element, facts, draw) {
    if (same(this.drawn.get(element), facts)) return;
    const isLate = !this.drawn.has(element) && performance.now() > this.deadline;
    if (isLate || draw() === false) this.late += 1;
    else this.drawn.set(element, facts);
  }

  /** @param {HTMLElement} element */
  writing(element) {
    const writing = this.writings.get(element) ?? new Writing(element);
    this.writings.set(element, writing);
    return writing;
  }

  /**
   * @param {string} key
   * @param {string} kind
   */
  element(key, kind) {
    return this.elements.get(key) ?? this.add(key, clone(kind));
  }

  /**
   * @param {string} key
   * @param {HTMLElement} element
   */
  add(key, element) {
    element.dataset.key = key;
    this.elements.set(key, element);
    return element;
  }
}

/** @param {string} kind */
const clone = (kind) => fromTemplate(`${kind}-template`);

/**
 * Adds what the server leaves out, since it is of no use without the script.
 * @type {(element: Element, selector: string, make: () => Iterable<Element>) => void}
 */
function complete(element, selector, make) {
  if (!element.querySelector(selector)) element.append(...make());
}

/** @type {(element: HTMLElement, text: HTMLElement, message: Message) => void} */
function drawQuestion(element, text, message) {
  const { metadata } = message;
  drawFiles(element, metadata.attachments);
  setText(text, visible(textIn(message)));
  if (metadata.leftOut) complete(element, ".left-out", () => [fromTemplate("left-out-template")]);
  complete(element, ".edit", () => [inside(clone("you"), ".edit")]);
}

/**
 * @param {HTMLElement} element
 * @param {Message} message
 */
function drawSummary(element, { content, metadata }) {
  const hidden = !metadata.open && content === "";
  inside(element, ".reasoning-name").textContent = hidden
    ? "Thinking, not shown by the provider"
    : "Thinking";
}
