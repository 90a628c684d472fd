/**
 * A block that is too long to be rendered: its text is added as it comes, until the block ends.
 */
import { Pieces } from "./pieces.js";

const BLANK = /\n[ \t]*\n/g;

/** The end of a code block that was opened with this markup. */
export const fenceEnd = (markup) => new RegExp(`^ {0,3}${markup[0]}{${markup.length},}[ \\t]*$\\n?`, "gm");

export class Long {
  /** Text from an offset on, in pieces of an element; it ends where the expression is found: at a blank line, or behind the fence. */
  constructor(element, from, end = BLANK) {
    Object.assign(this, { from, end, seen: from, pieces: new Pieces(element, end === BLANK ? "div" : "span", "raw") });
  }

  /** Shows the text as far as this block goes; where it ends, or `undefined` while it goes on. Only whole lines can end it. */
  show(text, open) {
    const whole = open ? text.lastIndexOf("\n") + 1 : text.length;
    this.end.lastIndex = this.seen;
    const found = this.end.exec(text);
    const end = found && this.end.lastIndex <= whole ? this.end.lastIndex : undefined;
    this.pieces.show(text.slice(this.from, end === undefined ? text.length : found.index));
    this.seen = Math.max(this.from, whole - 1);
    return end;
  }
}
