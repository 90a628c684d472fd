/**
 * Saved prompts: a slash at the start of the message opens a list of them, which typing narrows. What is taken is put in, not sent.
 */
import { create } from "../lib/dom.js";
import { beginning } from "../lib/format.js";
import { isComposing } from "../lib/keys.js";

const QUERY = /^\/([\w-]*)$/u;
const PREVIEW = 120; // characters of a prompt

/** `put(text)` writes into the textarea, `say(sentence)` is for who cannot see the list. */
export class Prompts {
  constructor(textarea, list, prompts, { put, say }) {
    this.textarea = textarea;
    this.list = list;
    this.prompts = prompts;
    this.put = put;
    this.say = say;
    this.matches = [];
    this.at = 0;
    if (!prompts.length) return;
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.addEventListener("input", () => this.look());
    textarea.addEventListener("blur", () => this.close());
    textarea.addEventListener("keydown", (event) => this.press(event), { capture: true });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one writes
    list.addEventListener("click", ({ target }) =>
      this.take(this.options.indexOf(target.closest("[role=option]"))),
    );
  }

  get options() {
    return [...this.list.children];
  }

  look() {
    const query = QUERY.exec(this.textarea.value)?.[1].toLowerCase();
    const matches = query === undefined ? [] : matching(this.prompts, query);
    if (!matches.length) return this.close();
    this.matches = matches;
    this.list.replaceChildren(...matches.map(drawOption));
    this.list.hidden = false;
    this.textarea.setAttribute("aria-controls", this.list.id);
    this.mark(0);
    this.say(`${matches.length} saved ${matches.length === 1 ? "prompt" : "prompts"}. ${matches[0].name}.`);
  }

  close() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.textarea.removeAttribute("aria-activedescendant");
    this.textarea.removeAttribute("aria-controls");
  }

  mark(at) {
    this.at = (at + this.matches.length) % this.matches.length;
    for (const [index, option] of this.options.entries())
      option.setAttribute("aria-selected", String(index === this.at));
    const option = this.options[this.at];
    option.scrollIntoView({ block: "nearest" });
    this.textarea.setAttribute("aria-activedescendant", option.id);
  }

  take(at) {
    if (at < 0) return;
    this.put(this.matches[at].text);
    this.close();
    this.say(`${this.matches[at].name} is in the message.`);
  }

  press(event) {
    const act = !this.list.hidden && !isComposing(event) && KEYS[event.key];
    if (!act || event.shiftKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act(this);
  }
}

const KEYS = {
  ArrowDown: (prompts) => prompts.mark(prompts.at + 1),
  ArrowUp: (prompts) => prompts.mark(prompts.at - 1),
  Enter: (prompts) => prompts.take(prompts.at),
  Tab: (prompts) => prompts.take(prompts.at),
  Escape: (prompts) => prompts.close(),
};

// Those that begin with it before those that have it elsewhere.
function matching(prompts, query) {
  const places = prompts.map((prompt) => [prompt.name.toLowerCase().indexOf(query), prompt]);
  const matches = places.filter(([place]) => place >= 0);
  return matches.sort(([one], [other]) => Math.min(one, 1) - Math.min(other, 1)).map(([, prompt]) => prompt);
}

function drawOption({ name, text }, index) {
  const words = create("span", "prompt-text", beginning(text, PREVIEW).replace(/\s+/g, " "));
  words.dir = "auto";
  const item = create("li", "", create("span", "prompt-name", `/${name}`), words);
  item.setAttribute("role", "option");
  item.id = `prompt-${index}`;
  return item;
}
