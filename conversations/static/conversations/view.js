/**
 * The transcript: brings the page's elements in line with the state, touching only what has changed.
 */
import { drawCalls, gathered } from "./calls.js";
import { drawFoot } from "./foot.js";
import { sections } from "./layout.js";
import { visible } from "./markdown.js";
import { drawTool } from "./tool.js";
import { Writing } from "./writing.js";

/** Makes the children the parent's elements, in that order, moving as few as possible. */
export function arrange(parent, children) {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

const same = (before, now) => before !== undefined && now.every((value, index) => value === before[index]);

const BUDGET_MS = 8; // for drawing in a frame; text that is not rendered yet stands there as it was written

/** Shows states in the log; the elements that the server made are taken over. */
export class View {
  constructor(log) {
    this.log = log;
    this.elements = new Map();
    this.drawn = new WeakMap();
    this.writings = new WeakMap();
    this.adopt();
  }

  adopt() {
    for (const element of this.log.querySelectorAll("[data-turn]"))
      this.elements.set(`turn:${JSON.parse(element.dataset.turn).id}`, element);
    for (const element of this.log.querySelectorAll("[data-attempt]"))
      this.elements.set(element.dataset.attempt, element);
    for (const element of this.log.querySelectorAll("[data-message]"))
      this.elements.set(JSON.parse(element.dataset.message).id, element);
  }

  /** Shows the state; false when something was put off to a later frame. */
  render(state, outgoing) {
    this.complete = true;
    this.deadline = performance.now() + BUDGET_MS;
    const newestFirst = sections(state, outgoing).reverse().map((section) => this.section(section));
    arrange(this.log, newestFirst.reverse());
    return this.complete;
  }

  /** Forgets the elements of turns, which are then made anew: going back in time, nothing of the later may stay in them. */
  forget(turns) {
    for (const root of turns.map((id) => this.elements.get(`turn:${id}`)).filter(Boolean))
      for (const [key, element] of this.elements) if (root.contains(element)) this.elements.delete(key);
  }

  section(section) {
    const { key, turn, parts, offers } = section;
    const element = this.element(key, "turn");
    const [blocks, foot] = element.children;
    arrange(blocks, gathered(section).map((part) => this.part(part)));
    this.once(foot, [turn, parts.length, parts.at(-1)?.message, offers], () => drawFoot(foot, section));
    return element;
  }

  part(part) {
    if (part.calls) return this.calls(part);
    return part.blocks ? this.attempt(part) : this.block(part);
  }

  calls({ key, calls }) {
    const element = this.element(key, "calls");
    arrange(element.querySelector(".cards"), calls.map((call) => this.block(call)));
    this.once(element, [calls.length, ...calls.map(({ result }) => result)], () => drawCalls(element, calls));
    return element;
  }

  // Folded once something has followed it; before that and after it is the reader's.
  attempt({ key, blocks, isLast = false }) {
    const element = this.element(key, "attempt");
    arrange(element.querySelector(".attempted"), blocks.map((block) => this.block(block)));
    if (element.dataset.last !== String(isLast)) element.open = isLast;
    element.dataset.last = isLast;
    return element;
  }

  block(block) {
    const element = this.element(block.id, block.kind);
    const { message, result, ended, interrupt } = block;
    this.once(element, [message, result, ended, interrupt], () => this.draw(element, block));
    return element;
  }

  draw(element, block) {
    const { message, kind } = block;
    if (kind === "tool") return drawTool(element, block);
    const text = element.querySelector(".text");
    if (kind === "you") return void (text.textContent = visible(message.content));
    if (kind === "reasoning") drawSummary(element, message);
    return this.write(text, message);
  }

  write(text, { content, metadata }) {
    return this.writing(text).show(content, Boolean(metadata.open), this.deadline);
  }

  // Draws unless these very facts have been drawn; what says `false` is drawn again in the next frame.
  once(element, facts, draw) {
    if (same(this.drawn.get(element), facts)) return;
    const isLate = !this.drawn.has(element) && performance.now() > this.deadline; // what is new can wait, what has changed cannot
    if (isLate || draw() === false) this.complete = false;
    else this.drawn.set(element, facts);
  }

  writing(element) {
    if (!this.writings.has(element)) this.writings.set(element, new Writing(element));
    return this.writings.get(element);
  }

  element(key, kind) {
    if (!this.elements.has(key)) this.elements.set(key, clone(kind));
    const element = this.elements.get(key);
    element.dataset.key = key;
    return element;
  }
}

function clone(kind) {
  return document.getElementById(`${kind}-template`).content.firstElementChild.cloneNode(true);
}

function drawSummary(element, { content, metadata }) {
  const hidden = !metadata.open && content === "";
  element.querySelector(".reasoning-name").textContent = hidden ? "Thinking, not shown by the provider" : "Thinking";
}
