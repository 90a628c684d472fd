/**
 * The messages that the server has not confirmed, kept in the tab so that a reload loses nothing.
 */
import { load, save } from "../lib/tab.js";

/** A random UUID; crypto.randomUUID is there in secure contexts only, not on plain http in a local network. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

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
    if (this.messages.some(({ id }) => known.has(id))) this.keep(this.messages.filter(({ id }) => !known.has(id)));
  }

  keep(messages) {
    this.messages = messages;
    save(this.key, messages.length ? messages : null);
  }
}
