/**
 * Saved prompts: a slash at the start of the message opens a list of them, which typing narrows. What is taken is put in, not sent.
 */
import { create } from "../lib/dom.js";

const ASKED = /^\/([\w-]*)$/u;
const SHOWN = 120; // characters of a prompt

/** `put(text)` writes into the textarea, `say(sentence)` is for who cannot see the list. */
export class Prompts {
  constructor(textarea, list, prompts, { put, say }) {
    this.textarea = textarea;
    this.list = list;
    this.prompts = prompts;
    this.put = put;
    this.say = say;
    this.found = [];
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
    const asked = ASKED.exec(this.textarea.value)?.[1].toLowerCase();
    const found = asked === undefined ? [] : matching(this.prompts, asked);
    if (!found.length) return this.close();
    this.found = found;
    this.list.replaceChildren(...found.map(option));
    this.list.hidden = false;
    this.textarea.setAttribute("aria-controls", this.list.id);
    this.mark(0);
    this.say(`${found.length} saved ${found.length === 1 ? "prompt" : "prompts"}. ${found[0].name}.`);
  }

  close() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.textarea.removeAttribute("aria-activedescendant");
    this.textarea.removeAttribute("aria-controls");
  }

  mark(at) {
    this.at = (at + this.found.length) % this.found.length;
    for (const [index, option] of this.options.entries())
      option.setAttribute("aria-selected", String(index === this.at));
    const marked = this.options[this.at];
    marked.scrollIntoView({ block: "nearest" });
    this.textarea.setAttribute("aria-activedescendant", marked.id);
  }

  take(at) {
    if (at < 0) return;
    this.put(this.found[at].text);
    this.close();
    this.say(`${this.found[at].name} is in the message.`);
  }

  press(event) {
    const act = !this.list.hidden && !event.isComposing && KEYS[event.key];
    if (!act || event.shiftKey) return;
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
function matching(prompts, asked) {
  const places = prompts.map((prompt) => [prompt.name.toLowerCase().indexOf(asked), prompt]);
  const found = places.filter(([place]) => place >= 0);
  return found.sort(([one], [other]) => Math.min(one, 1) - Math.min(other, 1)).map(([, prompt]) => prompt);
}

function option({ name, text }, index) {
  const words = create("span", "prompt-text", text.slice(0, SHOWN).replace(/\s+/g, " "));
  const made = create("li", "", create("span", "prompt-name", `/${name}`), words);
  made.setAttribute("role", "option");
  made.id = `prompt-${index}`;
  return made;
}
