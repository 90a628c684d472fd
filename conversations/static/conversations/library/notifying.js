/**
 * Notifications of the browser, where the reader wants them: of what happens while no tab is in sight, once for all tabs.
 */
import { setText } from "../lib/dom.js";
import { addressOfApp } from "../lib/page.js";

const KEY = "turntable.notifications";
const TELLS = "turntable.tells";
const IN_SIGHT = "turntable.in-sight";

const FRESH_MS = 60_000; // older news is no event any more
const SEEN_MS = 700; // in which another device may have it in sight
const KEPT = 200;

/** @type {Record<string, string>} */
const WORDS = {
  waiting: "A call waits for your approval.",
  unread: "The answer has ended.",
  failed: "The answer failed.",
};

const isPossible = () => "Notification" in window && isSecureContext;

const isWanted = () => {
  try {
    return localStorage.getItem(KEY) === "on" && isPossible() && Notification.permission === "granted";
  } catch {
    return false;
  }
};

/**
 * Holds a lock until the promise is settled; a browser without locks has a notification's tag instead.
 * @param {string} name
 * @param {Promise<unknown>} until
 * @param {LockOptions} [options]
 */
const hold = (name, until, options = {}) =>
  navigator.locks?.request(name, options, () => until).catch(() => undefined);

async function isInSight() {
  if (!document.hidden) return true;
  const state = await navigator.locks?.query();
  return Boolean(state?.held?.some(({ name }) => name === IN_SIGHT));
}

export class Notifying {
  constructor() {
    /** Whether this is the tab that tells for all. */
    this.tells = !navigator.locks;
    /** @type {Set<string>} */
    this.known = new Set();
    /** @type {Map<string, string>} */
    this.marks = new Map();
  }

  start() {
    this.takeTurns();
    this.watchSight();
    document.addEventListener("turntable:change", ({ detail }) => this.hear(detail));
  }

  takeTurns() {
    if (!navigator.locks) return;
    const forEver = new Promise(() => undefined);
    navigator.locks.request(TELLS, () => {
      this.tells = true;
      return forEver;
    });
  }

  watchSight() {
    let end = () => {};
    const watch = () => {
      end();
      if (!document.hidden)
        hold(IN_SIGHT, new Promise((resolve) => (end = () => resolve(null))), { mode: "shared" });
    };
    document.addEventListener("visibilitychange", watch);
    watch();
  }

  /**
   * Notes the state of a conversation; tells it if it is new, and still so when others have had time to see it.
   * @param {LibraryChange} change
   */
  hear(change) {
    if (!change.conversation) return;
    const { conversation, mark, updatedAt, at } = change;
    const key = `${conversation} ${mark} ${updatedAt}`;
    const isNew = !this.known.has(key) && at - Date.parse(updatedAt) < FRESH_MS;
    this.marks.set(conversation, mark);
    this.known.add(key);
    const [oldest] = this.known;
    if (this.known.size > KEPT) this.known.delete(oldest);
    if (!WORDS[mark] || !isNew) return;
    setTimeout(() => this.marks.get(conversation) === mark && this.tell(key, change), SEEN_MS);
  }

  /**
   * @param {string} key
   * @param {ConversationState} state
   */
  async tell(key, state) {
    if (this.tells && isWanted() && !(await isInSight())) notify(key, state);
  }
}

/**
 * @param {string} key
 * @param {ConversationState} state
 */
function notify(key, { conversation, title, mark }) {
  try {
    const notification = new Notification(title || "Turntable", { body: WORDS[mark], tag: key });
    notification.onclick = () => {
      notification.close();
      window.focus();
      location.assign(addressOfApp(`conversations/${conversation}/`));
    };
  } catch {
    return false; // a phone's browser, which has them for service workers alone
  }
  return true;
}

/** @type {Record<string, string>} */
const STATES = {
  none: "This browser shows none here. It needs https, and on a phone it may show none at all.",
  denied: "This browser does not allow them here. Its settings of this site can change that.",
  off: "",
  on: "They are on in this browser.",
};

/**
 * Lets the settings page's button turn them on and off in this browser.
 * @param {HTMLElement} button
 * @param {HTMLElement} status
 */
export function offer(button, status) {
  /** @param {string} state */
  const show = (state) => {
    button.hidden = state === "none";
    button.textContent = state === "on" ? "Turn notifications off" : "Turn notifications on";
    setText(status, STATES[state]);
  };
  /** @param {string} state */
  const keep = (state) => {
    try {
      localStorage.setItem(KEY, state);
    } catch {
      return show("none");
    }
    return show(state);
  };
  const turnOn = async () => {
    if ((await Notification.requestPermission()) !== "granted") return show("denied");
    return keep("on");
  };
  button.addEventListener("click", () => (isWanted() ? keep("off") : turnOn()));
  show(isPossible() ? (isWanted() ? "on" : "off") : "none");
}
