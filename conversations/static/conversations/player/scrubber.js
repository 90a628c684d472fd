/**
 * The line that playback moves along: a slider, and above it what happened when.
 */
import { inside } from "../lib/dom.js";

const LEAP_MS = 5000;
const FAR = 6; // leaps that Page Up and Page Down make

/** @type {Record<string, number>} */
const LEAPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: FAR, PageDown: -FAR };

/**
 * A time for a person: "1:05", "1:02:03".
 * @param {number} ms
 */
export function clockTime(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * The address of a moment: `#at-TIME` finds any.
 * @param {Landmark} landmark
 */
export const addressOf = ({ kind, call = "", number, at }) =>
  kind === "turn" ? `#turn-${number}` : kind === "call" ? `#call-${encodeURIComponent(call)}` : `#at-${at}`;

/**
 * The moment at an address, if there is one: a turn by its number or id, a call by its id, or any time.
 * @param {string} fragment
 * @param {Landmark[]} landmarks
 * @returns {{at: number, turn?: number, call?: string} | undefined}
 */
export function momentAt(fragment, landmarks) {
  const [, kind, name] = /^#(turn|call|at)-(.+)$/.exec(decoded(fragment)) ?? [];
  if (kind === "at") return Number.isFinite(Number(name)) ? { at: Number(name) } : undefined;
  /** @type {(landmark: Landmark) => boolean} */
  const isNamed =
    kind === "call" ? ({ call }) => call === name : ({ number, id }) => `${number}` === name || id === name;
  return landmarks.find((one) => one.kind === kind && isNamed(one));
}

/** @param {string} fragment */
function decoded(fragment) {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/**
 * What may be jumped to; `turn` is the place of its turn, whose number people see.
 * @typedef {{kind: string, at: number, name: string, call?: string, turn: number, number: number, id?: string}} Landmark
 */

/**
 * All that may be jumped to, in order.
 * @param {TurnOutline[]} turns
 * @returns {Landmark[]}
 */
export const landmarksOf = (turns) =>
  turns.flatMap(({ id, begin, number, question, marks }, turn) => [
    { kind: "turn", at: begin, name: question, turn, number, id },
    ...marks.map(([kind, at, name, call]) => ({ kind, at, name, call, turn, number })),
  ]);

/** @type {Record<string, (landmark: Landmark) => string>} */
const NAMES = {
  turn: ({ number, name }) => `Turn ${number}: ${name}`,
  round: ({ name }) => name[0].toUpperCase() + name.slice(1),
  call: ({ name }) => `Tool call ${name}`,
  error: ({ name }) => name,
};

/**
 * What a landmark is called.
 * @param {Landmark} landmark
 */
export const nameOf = (landmark) => NAMES[landmark.kind](landmark);

export class Scrubber {
  /**
   * @param {HTMLElement} root
   * @param {{seek: (position: number) => void, describe: () => string}} page goes where the thumb is moved, and says where that is
   */
  constructor(root, { seek, describe }) {
    this.seek = seek;
    this.describe = describe;
    this.length = 0;
    this.range = inside(root, "input");
    this.marks = inside(root, ".marks");
    this.range.addEventListener("input", () => this.moved(Number(this.range.value)));
    this.range.addEventListener("keydown", (event) => this.leap(event));
    this.range.addEventListener("focus", () => this.tell());
  }

  /** @param {KeyboardEvent} event */
  leap(event) {
    const leaps = LEAPS[event.key];
    if (!leaps || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.moved(Number(this.range.value) + leaps * LEAP_MS);
  }

  /** @param {number} position */
  moved(position) {
    this.seek(position);
    this.tell();
  }

  /**
   * Puts the thumb there.
   * @param {number} position
   */
  show(position) {
    const share = this.length ? position / this.length : 0;
    this.range.value = String(Math.round(position));
    this.range.style.setProperty("--share", `${share * 100}%`);
  }

  /** Tells where it is in words, for who does not see it; not while it moves by itself, which would never end. */
  tell() {
    this.range.setAttribute("aria-valuetext", this.describe());
  }

  /**
   * Draws what happened, and the waits that are shortened.
   * @param {Landmark[]} landmarks
   * @param {import("./timeline.js").Timeline} timeline
   */
  draw(landmarks, timeline) {
    this.length = timeline.length;
    this.range.max = String(Math.ceil(timeline.length));
    const waits = timeline.shortened.map(({ played }) =>
      this.mark(document.createElement("span"), "wait", played),
    );
    const marks = landmarks.map((one) => this.link(one, timeline.played(one.at)));
    this.marks.replaceChildren(...waits, ...marks);
  }

  /**
   * A link for the mouse: the keyboard has the slider, the steps and the list.
   * @param {Landmark} landmark
   * @param {number} position
   */
  link(landmark, position) {
    const link = this.mark(document.createElement("a"), landmark.kind, position);
    link.href = addressOf(landmark);
    link.title = `${nameOf(landmark)}, ${clockTime(position)}`;
    link.tabIndex = -1;
    return link;
  }

  /**
   * @template {HTMLElement} Kind
   * @param {Kind} element
   * @param {string} kind
   * @param {number} position
   */
  mark(element, kind, position) {
    element.className = `mark ${kind}`;
    element.style.setProperty("--share", `${this.length ? (position / this.length) * 100 : 0}%`);
    return element;
  }
}
