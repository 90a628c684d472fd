/**
 * The form in which a message is written and sent, and to which a refused one returns.
 */

import { all, closestTo, inside } from "../lib/dom.js";
import { grow, keepGrowing } from "../lib/growing.js";
import { isTouch, sends } from "../lib/keys.js";
import { Attaching } from "./attaching.js";

/**
 * Makes a textarea the box of a message: it grows with its text, and a key that sends submits its form.
 * @param {HTMLTextAreaElement} textarea
 */
export function writeIn(textarea) {
  keepGrowing(textarea);
  if (isTouch()) textarea.removeAttribute("aria-describedby"); // of the keys that send elsewhere
  textarea.addEventListener("keydown", (event) => {
    if (!sends(event)) return;
    event.preventDefault();
    textarea.form?.requestSubmit();
  });
}

/**
 * Buttons with `data-fill` put their phrase into the textarea.
 * @param {HTMLTextAreaElement} textarea
 */
export function fillFromButtons(textarea) {
  document.addEventListener("click", (event) => {
    const phrase = closestTo(event, "[data-fill]")?.dataset.fill;
    if (phrase === undefined) return;
    textarea.value = phrase;
    textarea.dispatchEvent(new Event("input"));
    textarea.focus();
  });
}

/** `changed()` hears of each new message on its way. */
export class Composer {
  /**
   * @param {HTMLFormElement} form
   * @param {{outbox: import("./outbox.js").Outbox, draft: import("./drafts.js").Draft, send: Send, changed: () => void}} page
   */
  constructor(form, { outbox, draft, send, changed }) {
    this.form = form;
    this.outbox = outbox;
    this.draft = draft;
    this.send = send;
    /** @type {Turn | undefined} */
    this.turn = undefined;
    /** @type {Turn | undefined} */
    this.unsentStop = undefined;
    this.changed = changed;
    this.textarea = inside(form, "textarea");
    /** @type {HTMLButtonElement} */
    this.stop = inside(form, "#stop");
    this.refusal = inside(form, "#refusal");
    this.files = new Attaching(form, (reason) => this.refuse(reason));
    this.files.letGo(outbox.messages.flatMap(({ attachments = [] }) => attachments));
    this.takeEarly();
    this.listen();
    this.showDraft();
    this.textarea.setSelectionRange(this.draft.text.length, this.draft.text.length);
  }

  /** Takes what was typed before this script had come. */
  takeEarly() {
    const { value, defaultValue } = this.textarea;
    if (value === defaultValue) return;
    const isOn = this.draft.text === defaultValue;
    this.draft.write(isOn ? value : [this.draft.text, value].filter(Boolean).join("\n\n"));
  }

  listen() {
    writeIn(this.textarea);
    fillFromButtons(this.textarea);
    this.textarea.addEventListener("input", () => this.write(this.textarea.value));
    this.textarea.addEventListener("blur", () => this.draft.rest());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.stop.addEventListener("click", () => this.askToStop());
    inside(this.form, "#swap").addEventListener("click", () => this.draft.swap());
    inside(this.form, "#choose").addEventListener("click", () => this.chooseDraft());
  }

  submit() {
    const text = this.textarea.value;
    const problem = this.files.problem(() => this.submit());
    if (problem) return this.refuse(problem);
    if (text.trim() !== "") this.write("");
    this.draft.flush();
    return this.say(text, this.files.take());
  }

  /**
   * Sends a text of its own; what is being written stays.
   * @param {string} text
   * @param {AttachedFile[]} [files]
   */
  say(text, files = []) {
    this.textarea.focus({ preventScroll: true });
    if (text.trim() === "" && !files.length) return;
    this.refuse("");
    this.deliver(this.outbox.add(text, files));
    this.changed();
  }

  /** @param {UnsentMessage} message */
  deliver({ id, text, attachments }) {
    const files = attachments ? { attachments: attachments.map((file) => file.id) } : {};
    this.send({ type: "message", id, text, ...files });
  }

  /** Sends again what is not known to have arrived, which the id makes harmless; a message each `pace` ms. */
  deliverAll(pace = 0) {
    clearInterval(this.pacing);
    const waiting = [...this.outbox.messages];
    const deliverNext = () => {
      const message = waiting.shift();
      if (message) this.deliver(message);
      else clearInterval(this.pacing);
    };
    if (pace) this.pacing = setInterval(deliverNext, pace);
    else while (waiting.length) deliverNext();
  }

  /**
   * Gives a refused message back.
   * @param {Refusal} refusal
   */
  refused({ id, message }) {
    const returned = this.outbox.take(id);
    if (returned) this.giveBack(returned.text);
    if (returned?.attachments) this.files.giveBack(returned.attachments);
    this.refuse(message);
    this.changed();
  }

  /**
   * Puts a text in front of what has been written since.
   * @param {string} text
   */
  giveBack(text) {
    this.write([text, this.textarea.value].filter(Boolean).join("\n\n"));
  }

  /**
   * Puts a message that was withdrawn where it can be written anew, unless something else is being written there.
   * @param {string} text
   * @param {AttachedFile[]} [files]
   */
  takeBack(text, files = []) {
    this.files.giveBack(files);
    if (!this.textarea.value.trim()) this.giveBack(text);
    this.textarea.focus({ preventScroll: true });
  }

  /**
   * Says why something was not done; "" when that is over.
   * @param {string} reason
   */
  refuse(reason) {
    this.refusal.textContent = reason;
    this.refusal.hidden = !reason;
  }

  /** @param {string} text */
  write(text) {
    this.draft.write(text);
    this.put(text);
  }

  /** @param {string} text */
  put(text) {
    if (this.textarea.value !== text) this.textarea.value = text; // else the caret would move
    grow(this.textarea);
  }

  /** Shows the draft as it is now, and whether there is another. */
  showDraft() {
    this.put(this.draft.text);
    inside(this.form, "#other-draft").hidden = this.draft.other === null;
  }

  chooseDraft() {
    this.textarea.focus({ preventScroll: true });
    this.draft.choose();
  }

  askToStop() {
    this.stop.disabled = true;
    this.unsentStop = this.send({ type: "stop" }) ? undefined : this.turn;
    this.refuse(this.unsentStop ? "There is no connection. The answer is stopped when there is one." : "");
    this.textarea.focus({ preventScroll: true });
  }

  /** Sends the stop that could not be sent; it names its turn, as the next may have begun meanwhile. */
  deliverStop() {
    if (!this.unsentStop || !this.send({ type: "stop", turn: this.unsentStop.id })) return;
    this.unsentStop = undefined;
    this.refuse("");
  }

  /**
   * Shows Stop while a turn is under way; the focus does not vanish with it.
   * @param {Turn | undefined} turn
   */
  show(turn) {
    if (this.turn?.id === turn?.id && this.turn?.status === turn?.status) return;
    this.turn = turn;
    if (!turn && document.activeElement === this.stop) this.textarea.focus({ preventScroll: true });
    this.stop.hidden = !turn;
    this.stop.disabled = !turn;
  }

  /**
   * Nothing can be sent any more.
   * @param {string} reason
   */
  close(reason) {
    /** @type {(HTMLTextAreaElement | HTMLButtonElement)[]} */
    const controls = all(this.form, "textarea, button");
    for (const control of controls) control.disabled = true;
    this.refuse(reason);
  }
}
