/**
 * A draft in two places: in the tab at once, on the server soon after. Two that differ stay apart until the reader chooses.
 */
import { load, save } from "../lib/browser.js";

export const LONGEST = 100_000; // characters, as the server takes them
const PAUSE_MS = 500; // in typing, after which the server gets the text
const WRITING_MS = 3000; // after a key, in which a draft from elsewhere does not take the place of this one
const ANSWER_MS = 1000; // in which the server says what it has, when a connection is there again

/** `changed()` hears when another text, or another draft beside it, is to be shown. */
export class Draft {
  /**
   * @param {string} conversation its id
   * @param {string} stored what the server has
   * @param {{send: Send, changed: () => void}} page
   */
  constructor(conversation, stored, { send, changed }) {
    this.key = `draft:${conversation}`;
    this.stored = stored;
    this.send = send;
    this.changed = changed;
    /** @type {{text?: string, base?: string | null}} */
    const { text, base } = load(this.key, {});
    const isOwn = typeof text === "string" && (base === stored || text.trim() !== "");
    this.text = isOwn ? text : stored; // what is shown; `stored` is what the server has, as far as is known
    this.other = isOwn && base !== stored ? alternative(text, stored) : null; // until it is chosen between them
    this.confirmed = stored; // of that, what is known to have arrived
    this.lastWrite = 0;
    /** @type {string[]} */
    this.unconfirmed = [];
    addEventListener("pagehide", () => this.flush());
  }

  /**
   * Takes what is written.
   * @param {string} text
   */
  write(text) {
    if (text === this.text) return;
    this.text = text;
    this.lastWrite = Date.now();
    this.keep();
    this.flushIn(PAUSE_MS);
  }

  /** Takes note that nobody is writing any more. */
  rest() {
    this.lastWrite = 0;
    this.flush();
  }

  /** @param {number} ms */
  flushIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), ms);
  }

  /** Tells the server, if there is anything to tell. */
  flush() {
    clearTimeout(this.timer);
    this.isAsking = false;
    if (this.other !== null || this.text === this.stored || this.text.length > LONGEST) return;
    if (!this.send({ type: "draft", text: this.text })) return;
    if (!this.unconfirmed.length) this.confirmed = this.stored;
    this.unconfirmed.push(this.text);
    this.stored = this.text;
    this.keep();
  }

  /**
   * Takes what the server has: what it was sent from here, or what was written elsewhere.
   * @param {string} text
   */
  receive(text) {
    if (this.unconfirmed.includes(text)) {
      this.unconfirmed.splice(0, this.unconfirmed.indexOf(text) + 1);
      this.confirmed = text;
      return this.keep();
    }
    if (text === this.stored) return;
    const isOwn = this.text !== this.stored;
    this.stored = text;
    if (!this.isAsking && Date.now() - this.lastWrite < WRITING_MS && this.text !== text)
      return this.flushIn(PAUSE_MS);
    this.other = isOwn ? alternative(this.text, text) : null;
    if (!isOwn || this.text.trim() === "") this.text = text;
    this.flushIn(PAUSE_MS);
    this.keep();
    this.changed();
  }

  /** Waits for what the server has: it may have changed in the meantime. */
  opened() {
    this.isAsking = true;
    this.flushIn(ANSWER_MS);
  }

  lost() {
    clearTimeout(this.timer);
    if (this.unconfirmed.length) this.stored = this.confirmed; // what was unconfirmed may not have arrived
    this.unconfirmed = [];
    this.keep();
  }

  /** Shows the other draft and keeps this one beside it. */
  swap() {
    const { text, other } = this;
    if (other === null) return;
    this.text = other;
    this.other = text;
    this.keep();
    this.changed();
  }

  /** Lets go of the other draft. */
  choose() {
    this.other = null;
    this.keep();
    this.flush();
    this.changed();
  }

  // Of two, the one that the server does not have; and what is unconfirmed may not arrive.
  keep() {
    const known = this.unconfirmed.length ? this.confirmed : this.stored;
    const own = this.text === known ? (this.other ?? this.text) : this.text;
    save(this.key, own === known ? null : { text: own, base: this.other === null ? known : null });
  }
}

/**
 * The other of two drafts; null where there is nothing to choose, as one is empty or they are the same.
 * @param {string} own
 * @param {string} other
 */
const alternative = (own, other) => (own.trim() && other.trim() && own !== other ? other : null);
