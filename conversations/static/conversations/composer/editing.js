/**
 * Sent messages changed in their place or taken back. One that waits gets other words, an earlier one is asked beside the first; the words
 * stay in the editor until the server has them.
 */
import { uuid } from "../lib/browser.js";
import { byId, fromTemplate, inside } from "../lib/dom.js";
import { grow } from "../lib/growing.js";
import { isComposing } from "../lib/keys.js";
import { textIn } from "../transcript/activities.js";
import { writeIn } from "./composer.js";

/**
 * An editor in an article; `sent` is the edit that the server has not confirmed, `back` takes the focus afterwards.
 * @typedef {{article: HTMLElement, back: HTMLElement, form: HTMLFormElement, id: string, textarea: HTMLTextAreaElement,
 *   sent: Extract<Frame, {type: "edit"}> | null}} OpenEditor
 */

/** `done()` takes the focus when a message was sent; `giveBack(text)` takes words whose place has gone. */
export class Editing {
  /** @param {{send: Send, done: () => void, giveBack: (text: string) => void}} page */
  constructor({ send, done, giveBack }) {
    this.send = send;
    this.done = done;
    this.giveBack = giveBack;
    /** @type {OpenEditor | null} */
    this.open = null;
  }

  /**
   * Opens the editor of the user's message in an article.
   * @param {HTMLElement} article
   * @param {string} text
   */
  begin(article, text) {
    this.cancel();
    const form = fromTemplate("rewording-template");
    article.append(form);
    article.dataset.editing = "";
    const textarea = inside(form, "textarea");
    const box = byId("message");
    const back = document.activeElement === box ? box : inside(article, ".edit");
    this.open = { article, back, form, id: article.dataset.key ?? "", textarea, sent: null };
    this.listen(form, textarea);
    textarea.value = text;
    grow(textarea);
    textarea.focus();
    textarea.setSelectionRange(text.length, text.length);
  }

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLTextAreaElement} textarea
   */
  listen(form, textarea) {
    writeIn(textarea);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || isComposing(event)) return;
      event.stopPropagation();
      this.cancel();
    });
    inside(form, ".cancel").addEventListener("click", () => this.cancel());
  }

  submit() {
    if (!this.open) return;
    const { article, textarea, id } = this.open;
    if (textarea.value.trim() === "" && !article.querySelector(".files")) return;
    /** @type {OpenEditor["sent"]} */
    const edit = { type: "edit", message: id, id: uuid(), text: textarea.value };
    this.open.sent = edit;
    this.tell(this.send(edit) ? "" : "Not sent: there is no connection. It is sent when there is one.");
    textarea.readOnly = true;
  }

  /** Sends again what is not known to have arrived; the id makes that harmless. */
  deliver() {
    if (this.open?.sent) this.send(this.open.sent);
  }

  /** @param {string} reason */
  tell(reason) {
    if (!this.open) return;
    const place = inside(this.open.form, ".failure");
    place.textContent = reason;
    place.hidden = !reason;
  }

  /**
   * Takes a refusal, if it is of this edit, which then goes on with the reason before it.
   * @param {Refusal} refusal
   */
  refused({ id, message }) {
    if (!id || !this.open || this.open.sent?.id !== id) return false;
    this.open.sent = null;
    this.open.textarea.readOnly = false;
    this.tell(message);
    this.open.textarea.focus();
    return true;
  }

  /**
   * Closes the editor once the server has the words, or once their message has gone.
   * @param {State} state
   */
  settle({ messages, queue }) {
    if (!this.open) return;
    const { sent, article, textarea } = this.open;
    const isTaken = sent && [...messages, ...queue].some(({ id }) => id === sent.id);
    if (isTaken || (!sent && !article.isConnected)) this.close();
    if (isTaken) this.done();
    else if (!this.open) this.giveBack(textarea.value);
  }

  /** Closes the editor, and the focus goes back to where it came from. */
  cancel() {
    if (!this.open) return;
    const { back } = this.open;
    this.close();
    back.focus({ preventScroll: true });
  }

  close() {
    this.open?.form.remove();
    delete this.open?.article.dataset.editing;
    this.open = null;
  }
}

/** `giveBack(text)` takes the words of a message that does not wait any more. */
export class Queue {
  /** @param {{ask: Send, giveBack: (text: string, files?: AttachedFile[]) => void, say: Say}} page */
  constructor({ ask, giveBack, say }) {
    this.ask = ask;
    this.giveBack = giveBack;
    this.say = say;
    /** @type {{id: string, content?: string, files?: AttachedFile[]}[]} */
    this.withdrawn = [];
  }

  /** @param {Message} message */
  withdraw(message) {
    const { id, metadata } = message;
    const content = textIn(message);
    const files = metadata.attachments;
    if (this.ask({ type: "withdraw", message: id })) this.withdrawn.push({ id, content, files });
  }

  /**
   * Gives back what the server has let go of; what it has begun to answer instead is forgotten.
   * @param {State} state
   */
  settle({ messages, queue }) {
    if (!this.withdrawn.length) return;
    const gone = this.withdrawn.filter(({ id }) => !queue.some((message) => message.id === id));
    this.withdrawn = this.withdrawn.filter((message) => !gone.includes(message));
    for (const { id, content, files } of gone) {
      if (messages.some((message) => message.id === id)) continue;
      this.giveBack(content ?? "", files);
      this.say("Withdrawn.");
    }
  }
}
