/**
 * The messages that the server has not confirmed, kept in the tab so that a reload loses nothing.
 */
import { load, save, uuid } from "../lib/browser.js";

/** A conversation's messages on their way, oldest first. */
export class Outbox {
  /** @param {string} conversation its id */
  constructor(conversation) {
    this.key = `outbox:${conversation}`;
    /** @type {UnsentMessage[]} */
    this.messages = load(this.key, []);
  }

  /**
   * Takes a text in, with the files that it is sent with; returns the message with the id that it will keep.
   * @param {string} text
   * @param {AttachedFile[]} [attachments]
   */
  add(text, attachments = []) {
    const files = attachments.length ? { attachments } : {};
    const message = { id: uuid(), text, at: Date.now(), ...files };
    this.keep([...this.messages, message]);
    return message;
  }

  /**
   * Takes a message out, and returns it if it was there.
   * @param {string} id
   */
  take(id) {
    const message = this.messages.find((one) => one.id === id);
    if (message) this.keep(this.messages.filter((one) => one !== message));
    return message;
  }

  /**
   * Forgets what the server has: it is in the transcript or in the queue.
   * @param {State} state
   */
  settle({ messages, queue }) {
    if (!this.messages.length) return;
    const known = new Set([...messages, ...queue].map((message) => message.id));
    if (this.messages.some(({ id }) => known.has(id)))
      this.keep(this.messages.filter(({ id }) => !known.has(id)));
  }

  /** @param {UnsentMessage[]} messages */
  keep(messages) {
    this.messages = messages;
    save(this.key, messages.length ? messages : null);
  }
}
