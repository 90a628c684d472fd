/**
 * Saved prompts: a slash at the start of the message opens a list of them, which typing narrows. The names are fetched then, a text when it
 * is taken. What is taken is put in, not sent.
 */
import { loadJSON } from "../lib/documents.js";
import { closestTo, create, inside } from "../lib/dom.js";
import { isComposing } from "../lib/keys.js";
import { filled, variablesOf } from "./variables.js";

const QUERY = /^\/([\p{L}\p{M}\p{N}_-]*)$/u;

const FETCHING = "Fetching your prompts.";
const FAILED = "Your prompts could not be fetched. Write on to try again.";
const EMPTY = "You have no saved prompts yet. The settings keep them.";

/** @typedef {{id: number, name: string, start: string}} Prompt */

/** `put(text)` writes into the textarea. */
export class Prompts {
  /**
   * @param {HTMLTextAreaElement} textarea
   * @param {HTMLElement} box
   * @param {{put: (text: string) => void, say: Say}} page
   */
  constructor(textarea, box, { put, say }) {
    this.textarea = textarea;
    this.box = box;
    this.address = box.dataset.prompts ?? "";
    /** @type {HTMLElement} */
    this.list = inside(box, "[role=listbox]");
    this.status = inside(box, "p");
    this.put = put;
    this.say = say;
    /** @type {Prompt[] | null} */
    this.prompts = null;
    /** @type {Prompt[]} */
    this.matches = [];
    this.at = 0;
    /** @type {object | null} */
    this.insertion = null;
    this.listen();
  }

  listen() {
    const { textarea, box, list } = this;
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.addEventListener("input", ({ isComposing: isComposed }) => this.look(isComposed));
    textarea.addEventListener("compositionend", () => this.look());
    textarea.addEventListener("blur", () => this.close());
    textarea.addEventListener("keydown", (event) => this.press(event), { capture: true });
    box.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one writes
    list.addEventListener("click", (event) => {
      const option = closestTo(event, "[role=option]");
      if (option) this.take(this.options.indexOf(option));
    });
    document.addEventListener("click", (event) => this.takeFrom(closestTo(event, "[data-prompt]")));
  }

  get options() {
    return [...this.list.children];
  }

  get query() {
    return QUERY.exec(this.textarea.value)?.[1].toLowerCase();
  }

  // -- the list

  look(isComposed = false) {
    this.insertion = null; // what is on its way is put into no other text
    if (isComposed || this.query === undefined) return this.close();
    if (this.box.hidden) this.fetchNames();
    return this.show();
  }

  // At each opening, since others may have been saved: mostly there is nothing newer.
  async fetchNames() {
    this.failed = false;
    const before = JSON.stringify(this.prompts);
    try {
      this.prompts = (await loadJSON(this.address)).prompts;
    } catch {
      this.failed = true;
    }
    if (this.box.hidden || this.insertion || (this.prompts && JSON.stringify(this.prompts) === before))
      return;
    const marked = this.list.hidden ? undefined : this.matches[this.at].id;
    this.show();
    const at = this.list.hidden ? -1 : this.matches.findIndex(({ id }) => id === marked);
    if (at > 0) this.mark(at); // the reader has gone there meanwhile
  }

  show() {
    const { prompts, query } = this;
    if (query === undefined) return this.close();
    if (!prompts) return this.tell(this.failed ? FAILED : FETCHING);
    if (!prompts.length && !query) return this.tell(EMPTY);
    this.matches = matching(prompts, query);
    return this.matches.length ? this.draw() : this.close();
  }

  draw() {
    const { matches } = this;
    this.open("");
    this.list.replaceChildren(...matches.map(drawOption));
    this.textarea.setAttribute("aria-controls", this.list.id);
    this.mark(0);
    this.say(`${matches.length} saved ${matches.length === 1 ? "prompt" : "prompts"}. ${matches[0].name}.`);
  }

  /** @param {string} sentence */
  tell(sentence) {
    if (!this.box.hidden && this.status.textContent === sentence) return;
    this.open(sentence);
    this.say(sentence);
  }

  /** @param {string} sentence */
  open(sentence) {
    this.box.hidden = false;
    this.status.textContent = sentence;
    this.status.hidden = !sentence;
    this.list.hidden = Boolean(sentence);
    if (sentence) this.letGo();
  }

  close() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.list.hidden = true;
    this.letGo();
    if (this.failed) this.prompts = null;
  }

  letGo() {
    this.textarea.removeAttribute("aria-activedescendant");
    this.textarea.removeAttribute("aria-controls");
  }

  /** @param {number} at */
  mark(at) {
    this.at = (at + this.matches.length) % this.matches.length;
    for (const [index, option] of this.options.entries())
      option.setAttribute("aria-selected", String(index === this.at));
    const option = this.options[this.at];
    option.scrollIntoView({ block: "nearest" });
    this.textarea.setAttribute("aria-activedescendant", option.id);
  }

  // -- what is taken

  /** @param {number} at */
  take(at) {
    if (at < 0) return;
    const prompt = this.matches[at];
    this.insert(prompt, this.textarea.value);
  }

  /**
   * Takes the prompt of a button.
   * @param {HTMLElement | null} button
   */
  takeFrom(button) {
    if (!button) return;
    const { prompt: id = "", name = "" } = button.dataset;
    this.insert({ id, name }, this.textarea.value);
  }

  /**
   * Puts a prompt into the box, unless something else has been written there meanwhile or Escape has called it off.
   * @param {{id: number | string, name: string}} prompt
   * @param {string} before
   */
  async insert({ id, name }, before) {
    this.tell(`Fetching /${name}.`);
    const insertion = {};
    this.insertion = insertion;
    const isOver = () => this.insertion !== insertion || this.textarea.value !== before;
    const ask = await loadJSON(`${this.address}?id=${id}`)
      .then(({ text }) => dialogFor(name, text))
      .catch(() => null);
    if (isOver()) return;
    if (!ask) {
      this.insertion = null;
      return this.tell(`/${name} could not be fetched.`);
    }
    this.leave();
    const whole = await ask();
    this.textarea.focus();
    if (whole === null) return;
    const rest = QUERY.test(before) ? "" : before.trim();
    this.put([whole, rest].filter(Boolean).join("\n\n"));
    this.say(`${name} is in the message.`);
  }

  leave() {
    this.insertion = null;
    this.close();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (this.box.hidden || isComposing(event)) return;
    const act = (this.list.hidden ? TELLING_KEYS : KEYS)[event.key];
    if (!act || event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (act(this) === false) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** @type {Record<string, (prompts: Prompts) => unknown>} */
const KEYS = {
  ArrowDown: (prompts) => prompts.mark(prompts.at + 1),
  ArrowUp: (prompts) => prompts.mark(prompts.at - 1),
  Enter: (prompts) => prompts.take(prompts.at),
  Tab: (prompts) => prompts.take(prompts.at),
  Escape: (prompts) => prompts.leave(),
};

/**
 * Keys while a sentence stands in the place of the list: Enter sends no slash while something is fetched.
 * @type {Record<string, (prompts: Prompts) => unknown>}
 */
const TELLING_KEYS = {
  Enter: (prompts) => prompts.status.textContent.startsWith("Fetching"),
  Escape: (prompts) => prompts.leave(),
};

/**
 * A function that asks for the text's variables and gives the text with them, or null if the reader leaves.
 * @param {string} name
 * @param {string} text
 * @returns {Promise<() => string | null | Promise<string | null>>}
 */
async function dialogFor(name, text) {
  const names = variablesOf(text);
  if (!names.length) return () => text;
  const { askFor } = await import("./asking.js");
  return async () => {
    const values = await askFor(name, names);
    return values && filled(text, values);
  };
}

/**
 * The prompts that have the query in their names, first those that begin with it.
 * @param {Prompt[]} prompts
 * @param {string} query
 */
function matching(prompts, query) {
  const places = prompts.map((prompt) => ({ prompt, place: prompt.name.toLowerCase().indexOf(query) }));
  const matches = places.filter(({ place }) => place >= 0);
  return matches
    .sort((one, other) => Math.min(one.place, 1) - Math.min(other.place, 1))
    .map(({ prompt }) => prompt);
}

/**
 * @param {Prompt} prompt
 * @param {number} index
 */
function drawOption({ name, start }, index) {
  const words = create("span", "prompt-text", start);
  words.dir = "auto";
  const item = create("li", "", create("span", "prompt-name", `/${name}`), words);
  item.setAttribute("role", "option");
  item.id = `prompt-${index}`;
  return item;
}
