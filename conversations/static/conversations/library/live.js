/**
 * Every page of a signed-in user: it hears of each change that lists show, of all processes, and says what is in sight.
 */
import { Socket } from "../chat/socket.js";
import { around, byId, inside, setText } from "../lib/dom.js";
import { socketOfApp } from "../lib/page.js";
import { countInTab, nameTab } from "../lib/tab.js";
import { Notifying, offer } from "./notifying.js";

const RENEW_MS = 300;

/** Marks that what the reader has in sight cannot have. */
const NEWS = ["unread", "failed"];

/**
 * Tells the page's other scripts.
 * @type {(name: "change" | "library", detail?: LibraryChange) => boolean}
 */
const announce = (name, detail) => document.dispatchEvent(new CustomEvent(`turntable:${name}`, { detail }));

/** A socket whose acknowledgement says only that all was heard: each frame says what is true now. */
class LibrarySocket extends Socket {
  /** @returns {Frame} */
  acknowledgement() {
    return { type: "heard" };
  }
}

class Live {
  /** @param {HTMLElement} body */
  constructor(body) {
    this.heardUntil = Number(body.dataset.library);
    /** @type {string | undefined} */
    this.current = document.getElementById("conversation")?.dataset.id;
    /** @type {Map<string, string>} */
    this.times = new Map();
    /** @type {number | undefined} */
    this.due = undefined;
    this.socket = new LibrarySocket(socketOfApp("library/socket/"), {
      cursor: () => this.heardUntil,
      receive: (event) => this.receive(event),
      changed: (status) => status === "open" && this.see(),
    });
  }

  start() {
    this.socket.connect();
    document.addEventListener("visibilitychange", () => this.see());
  }

  /**
   * Takes a frame; none can be missing, as each says what is true now.
   * @param {AguiEvent} event
   */
  receive(event) {
    if (event.type !== "CUSTOM" || event.name !== "turntable.library") return true;
    this.heardUntil = event.timestamp ?? this.heardUntil;
    this.show({ ...event.value, at: this.heardUntil });
    return true;
  }

  /** @param {LibraryChange} change */
  show(change) {
    if (
      change.conversation &&
      change.conversation === this.current &&
      NEWS.includes(change.mark) &&
      this.see()
    )
      Object.assign(change, { mark: "", words: "" });
    showNumber(change.waiting);
    if (change.conversation) this.showConversation(change);
    announce("change", change);
    if (change.conversation ? this.isOutOfPlace(change) : change.stale) this.renewList();
  }

  /** @param {ConversationState} state */
  showConversation({ conversation, title, mark, words, archived }) {
    for (const row of document.querySelectorAll(`[data-id="${conversation}"]`)) {
      /** @type {HTMLElement | null} */
      const state = row.querySelector(".state");
      if (state) state.dataset.mark = mark;
      if (state) setText(state, words);
      if (state && title) nameRow(row, title);
    }
    if (conversation !== this.current) return;
    document.getElementById("archived")?.toggleAttribute("hidden", !archived);
    if (!title) return;
    setText(byId("title"), title);
    nameTab(`${title} · Turntable`);
  }

  /**
   * Whether the list beside the page shows the conversation at another place, or not at all.
   * @param {ConversationState} state
   */
  isOutOfPlace({ conversation, updatedAt, pinned, archived, deleted }) {
    const isNew = this.times.get(conversation) !== updatedAt;
    this.times.set(conversation, updatedAt);
    const row = document.querySelector(`#groups [data-id="${conversation}"]`);
    if (!row || archived || deleted) return Boolean(row) === (archived || deleted);
    const group = around(row, ".group").dataset.name;
    if (pinned || group === "Pinned") return pinned !== (group === "Pinned");
    return isNew && row !== document.querySelector('#groups .group:not([data-name="Pinned"]) li');
  }

  renewList() {
    clearTimeout(this.due);
    this.due = setTimeout(() => announce("library"), RENEW_MS);
  }

  /** Says that the page's conversation is in sight; returns whether it is. */
  see() {
    if (document.hidden || !this.current) return false;
    return this.socket.send({ type: "seen", conversation: this.current });
  }
}

/**
 * Names a row, its menu, and what chooses it.
 * @param {Element} row
 * @param {string} title
 */
function nameRow(row, title) {
  setText(inside(row, "a"), title);
  row.querySelector(".dots")?.setAttribute("aria-description", title);
  row.querySelector("[name=ids]")?.setAttribute("aria-label", `Choose ${title}`);
}

/** @param {number} number */
function showNumber(number) {
  const link = byId("waits");
  link.hidden = number === 0;
  setText(inside(link, ".number"), String(number));
  countInTab(number);
}

const button = document.getElementById("notifications");
if (button) offer(button, byId("notifications-state"));
new Notifying().start();
new Live(document.body).start();
