/**
 * The messages that the server has not confirmed, kept in the tab so that a reload loses nothing.
 */
import { load, save, uuid } from "../lib/browser.js";

/** A conversation's messages on their way, oldest first. */
export class Outbox {
  constructor(conversation) {
    this.key = `outbox:${conversation}`;
    this.messages = load(this.key, []);
  }

  /** Takes a text in; returns the message with the id that it will keep. */
  add(text) {
    const message = { id: uuid(), text, at: Date.now() };
    this.keep([...this.messages, message]);
    return message;
  }

  /** Takes a message out, returning it if it was there. */
  take(id) {
    const found = this.messages.find((message) => message.id === id);
    if (found) this.keep(this.messages.filter((message) => message !== found));
    return found;
  }

  /** Forgets what the server has: it is in the transcript or in the queue. */
  settle({ messages, queue }) {
    if (!this.messages.length) return;
    const known = new Set([...messages, ...queue].map((message) => message.id));
    if (this.messages.some(({ id }) => known.has(id)))
      this.keep(this.messages.filter(({ id }) => !known.has(id)));
  }

  keep(messages) {
    this.messages = messages;
    save(this.key, messages.length ? messages : null);
  }
}
