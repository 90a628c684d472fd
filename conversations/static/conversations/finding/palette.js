/**
 * The palette: a dialog that goes to conversations by their titles and to their messages by their words.
 */

import { show } from "../lib/dialog.js";
import { loadJSON } from "../lib/documents.js";
import { closestTo, create } from "../lib/dom.js";
import { isComposing } from "../lib/keys.js";
import { addressOfApp } from "../lib/page.js";
import { style } from "../lib/styles.js";
import { openSheet } from "../shortcuts/sheet.js";

const PAUSE_MS = 150; // in typing, after which is searched

/** @typedef {{title: string, url: string, at: string, archived: boolean, hits?: Hit[]}} Entry */
/** @typedef {{speaker: string, parts: [string, boolean][], url: string}} Hit */

/** @typedef {(inNewTab: boolean) => unknown} Act in a tab of its own if it can */
/** @typedef {{element: HTMLElement, act: Act}} PaletteOption */

/**
 * Opens the palette.
 * @param {string} address that answers searches
 * @param {() => void} begin begins a new conversation
 */
export async function openPalette(address, begin) {
  await style(new URL("./palette.css", import.meta.url)).catch(() => undefined);
  const palette = new Palette(address, [
    ["New conversation", begin],
    ["All conversations", () => location.assign(addressOfApp("#all"))],
    ["Settings", () => location.assign(addressOfApp("settings/"))],
    ["Keyboard shortcuts", openSheet],
  ]);
  await show(palette.dialog);
  palette.search();
}

class Palette {
  /**
   * @param {string} address
   * @param {[name: string, act: Act][]} actions
   */
  constructor(address, actions) {
    this.address = address;
    this.actions = actions;
    /** @type {Act[]} what each option does */
    this.acts = [];
    this.at = 0;
    this.box = create("input");
    this.status = create("p", "palette-status");
    this.list = create("ul");
    this.dialog = create("dialog", "dialog palette", this.box, this.status, this.list);
    this.equip();
    this.listen();
  }

  equip() {
    this.dialog.setAttribute("aria-label", "Search");
    Object.assign(this.box, { type: "text", autocomplete: "off", spellcheck: false });
    this.box.placeholder = "Search titles and messages";
    this.list.id = "palette-list";
    set(this.box, { role: "combobox", "aria-label": "Search", "aria-autocomplete": "list" });
    set(this.box, { "aria-expanded": "false", "aria-controls": this.list.id, enterkeyhint: "go" });
    set(this.list, { role: "listbox", "aria-label": "Results" });
    set(this.status, { role: "status" });
  }

  listen() {
    const { box, list } = this;
    box.addEventListener("input", ({ isComposing: isComposed }) => isComposed || this.searchSoon());
    box.addEventListener("compositionend", () => this.searchSoon());
    box.addEventListener("keydown", (event) => this.press(event));
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one writes
    list.addEventListener("click", (event) => {
      const chosen = closestTo(event, "[role=option]");
      if (chosen) this.choose([...list.children].indexOf(chosen), event);
    });
    this.dialog.addEventListener("close", () => this.stop());
  }

  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  searchSoon() {
    this.stop();
    this.timer = setTimeout(() => this.search(), PAUSE_MS);
  }

  // An answer to what is not asked any more is dropped.
  async search() {
    this.stop();
    const request = new AbortController();
    this.request = request;
    const words = this.box.value.trim();
    const lateTimer = setTimeout(() => this.tell("Searching."), 2 * PAUSE_MS);
    try {
      const { conversations, more } = await loadJSON(
        `${this.address}?q=${encodeURIComponent(words)}`,
        request.signal,
      );
      if (this.request === request) this.show(words, conversations, more);
    } catch {
      if (this.request === request && !request.signal.aborted) this.fail();
    } finally {
      clearTimeout(lateTimer);
    }
  }

  fail() {
    this.put([]);
    this.tell("The search has failed. Write on to try again.");
  }

  /**
   * @param {string} words
   * @param {Entry[]} entries
   * @param {boolean} more
   */
  show(words, entries, more) {
    const fitting = this.actions.filter(([name]) => name.toLowerCase().includes(words.toLowerCase()));
    const results = entries.flatMap((entry) => [
      option(drawEntry(entry), (inNewTab) => go(entry.url, inNewTab)),
      ...(entry.hits ?? []).map((hit) => option(drawHit(hit), (inNewTab) => go(hit.url, inNewTab))),
    ]);
    this.put([...results, ...fitting.map(([name, act]) => option(create("span", "action", name), act))]);
    this.tell(words ? summary(entries, more) : "");
  }

  /** @param {PaletteOption[]} options */
  put(options) {
    this.acts = options.map(({ act }) => act);
    this.list.replaceChildren(...options.map(({ element }) => element));
    for (const [index, element] of [...this.list.children].entries()) element.id = `palette-${index}`;
    this.box.setAttribute("aria-expanded", String(options.length > 0));
    this.mark(0);
  }

  /** @param {number} at */
  mark(at) {
    const options = [...this.list.children];
    this.at = options.length && (at + options.length) % options.length;
    for (const [index, element] of options.entries())
      element.setAttribute("aria-selected", String(index === this.at));
    if (!options.length) return this.box.removeAttribute("aria-activedescendant");
    options[this.at].scrollIntoView({ block: "nearest" });
    return this.box.setAttribute("aria-activedescendant", options[this.at].id);
  }

  /** @param {string} sentence */
  tell(sentence) {
    this.status.textContent = sentence;
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const act = KEYS[event.key];
    if (!act || isComposing(event)) return;
    event.preventDefault();
    act(this, event);
  }

  /**
   * @param {number} at
   * @param {MouseEvent | KeyboardEvent} event
   */
  choose(at, { ctrlKey, metaKey }) {
    const act = this.acts[at];
    if (!act) return;
    const inNewTab = ctrlKey || metaKey;
    if (!inNewTab) this.dialog.close();
    act(inNewTab);
  }
}

/** @type {Record<string, (palette: Palette, event: KeyboardEvent) => void>} */
const KEYS = {
  ArrowDown: (palette) => palette.mark(palette.at + 1),
  ArrowUp: (palette) => palette.mark(palette.at - 1),
  Enter: (palette, event) => palette.choose(palette.at, event),
};

/**
 * @param {string} url
 * @param {boolean} inNewTab
 */
function go(url, inNewTab) {
  if (inNewTab) window.open(url, "_blank", "noopener");
  else location.assign(url);
}

/**
 * @param {Node} content
 * @param {Act} act
 */
function option(content, act) {
  const element = create("li", "", content);
  set(element, { role: "option", "aria-selected": "false" });
  return { element, act };
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, string>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** @param {Entry} entry */
function drawEntry({ title, at, archived }) {
  const name = create("bdi", "title", title || "Untitled");
  const when = new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
  return create("span", "entry", name, create("span", "when", archived ? `archived · ${when}` : when));
}

/** @param {Hit} hit */
function drawHit({ speaker, parts }) {
  const words = parts.map(([text, isHit]) => (isHit ? create("mark", "", text) : text));
  return create("span", "snippet", `${speaker}: `, create("bdi", "", ...words));
}

/**
 * @param {Entry[]} entries
 * @param {boolean} more
 */
function summary(entries, more) {
  if (!entries.length) return "Nothing has these words.";
  const messages = entries.reduce((sum, { hits = [] }) => sum + hits.length, 0);
  /** @type {(number: number, name: string) => string} */
  const count = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;
  return `${count(entries.length, "conversation")}${more ? " and more" : ""}, ${count(messages, "message")}.`;
}
