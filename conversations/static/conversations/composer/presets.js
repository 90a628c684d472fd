/**
 * Presets of instructions: chosen ones take the place of what is written, and what is written can be kept as another.
 */
import { inside, setText } from "../lib/dom.js";

const UNREACHABLE = "This is not done: there is no connection.";

/** `put(text)` writes the instructions. */
export class Presets {
  /**
   * @param {HTMLElement} root
   * @param {{text: () => string, put: (text: string) => void, token: () => string, say: Say}} page
   */
  constructor(root, { text, put, token, say }) {
    this.text = text;
    this.put = put;
    this.token = token;
    this.say = say;
    this.address = root.dataset.presets ?? "";
    this.list = inside(root, "select");
    this.opener = inside(root, "[aria-expanded]");
    this.keeping = inside(root, ".keeping");
    this.name = inside(this.keeping, "input");
    this.fault = inside(this.keeping, ".failure");
    root.hidden = false;
    this.list.addEventListener("change", () => this.take(this.list.value));
    this.opener.addEventListener("click", () => this.open(Boolean(this.keeping.hidden)));
    inside(this.keeping, "button").addEventListener("click", () => this.keep());
    this.name.addEventListener("keydown", (event) => this.press(event));
  }

  /** @param {string} id */
  async take(id) {
    const name = this.list.selectedOptions[0].textContent;
    this.list.value = "";
    if (!id) return;
    const { text } = await this.ask(`${this.address}?id=${id}`);
    if (text === undefined) return;
    this.put(text);
    this.say(`${name} is in the instructions.`);
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.keeping.hidden = !isOpen;
    this.opener.ariaExpanded = String(isOpen);
    this.refuse("");
    (isOpen ? this.name : this.opener).focus();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    this.keep();
  }

  async keep() {
    const body = new URLSearchParams({ "preset-name": this.name.value, "preset-text": this.text() });
    const { id, name, fault } = await this.ask(this.address, { method: "POST", body });
    if (!id) return this.refuse(fault ?? UNREACHABLE);
    this.list.append(new Option(name, id));
    this.name.value = "";
    this.open(false);
    return this.say(`${name} is kept.`);
  }

  /**
   * @param {string} address
   * @param {RequestInit} [options]
   * @returns {Promise<{id?: string, name?: string, text?: string, fault?: string}>}
   */
  async ask(address, options = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.token() };
    try {
      return await (await fetch(address, { headers, redirect: "error", ...options })).json();
    } catch {
      return {};
    }
  }

  /** @param {string} fault */
  refuse(fault) {
    setText(this.fault, fault);
    this.fault.hidden = !fault;
  }
}
