/**
 * The line that playback moves along: a slider, and above it what happened when.
 */

const LEAP_MS = 5000;
const FAR = 6; // leaps that Page Up and Page Down make

const LEAPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: FAR, PageDown: -FAR };

/** A time for a person: "1:05", "1:02:03". */
export function clockTime(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The address of a moment: `#at-TIME` finds any. */
export const addressOf = ({ kind, call, number, at }) =>
  kind === "turn" ? `#turn-${number}` : kind === "call" ? `#call-${call}` : `#at-${at}`;

/** All that may be jumped to, in order: `{kind, at, name, call, turn, number, id}`, `kind` turn, round, call or error, `turn` its place. */
export const landmarksOf = (turns) =>
  turns.flatMap(({ id, begin, number, question, marks }, turn) => [
    { kind: "turn", at: begin, name: question, turn, number, id },
    ...marks.map(([kind, at, name, call]) => ({ kind, at, name, call, turn, number })),
  ]);

const NAMES = {
  turn: ({ number, name }) => `Turn ${number}: ${name}`,
  round: ({ name }) => name[0].toUpperCase() + name.slice(1),
  call: ({ name }) => `Tool call ${name}`,
  error: ({ name }) => name,
};

/** What a landmark is called. */
export const nameOf = (landmark) => NAMES[landmark.kind](landmark);

export class Scrubber {
  /** `seek(position)` goes where the reader moves the thumb, `describe()` says where that is. */
  constructor(root, { seek, describe }) {
    this.seek = seek;
    this.describe = describe;
    this.range = root.querySelector("input");
    this.marks = root.querySelector(".marks");
    this.range.addEventListener("input", () => this.moved(Number(this.range.value)));
    this.range.addEventListener("keydown", (event) => this.leap(event));
    this.range.addEventListener("focus", () => this.tell());
  }

  leap(event) {
    const leaps = LEAPS[event.key];
    if (!leaps || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.moved(Number(this.range.value) + leaps * LEAP_MS);
  }

  moved(position) {
    this.seek(position);
    this.tell();
  }

  /** Puts the thumb there. */
  show(position) {
    const share = this.length ? position / this.length : 0;
    this.range.value = Math.round(position);
    this.range.style.setProperty("--share", `${share * 100}%`);
  }

  /** Tells where it is in words, for who does not see it; not while it moves by itself, which would never end. */
  tell() {
    this.range.setAttribute("aria-valuetext", this.describe());
  }

  /** Draws what happened, and the waits that are shortened. */
  draw(landmarks, timeline) {
    this.length = timeline.length;
    this.range.max = Math.ceil(timeline.length);
    const waits = timeline.shortened.map(({ played }) =>
      this.mark(document.createElement("span"), "wait", played),
    );
    const marks = landmarks.map((one) => this.link(one, timeline.played(one.at)));
    this.marks.replaceChildren(...waits, ...marks);
  }

  // The keyboard has the slider, the steps and the list; a thousand links would only be in its way.
  link(landmark, position) {
    const link = this.mark(document.createElement("a"), landmark.kind, position);
    link.href = addressOf(landmark);
    link.title = `${nameOf(landmark)}, ${clockTime(position)}`;
    link.tabIndex = -1;
    return link;
  }

  mark(element, kind, position) {
    element.className = `mark ${kind}`;
    element.style.setProperty("--share", `${this.length ? (position / this.length) * 100 : 0}%`);
    return element;
  }
}
