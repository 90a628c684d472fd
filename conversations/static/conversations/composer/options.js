/**
 * The settings of a conversation: shown as the chosen model takes them, stored as soon as one is changed, and live in the reader's other tabs.
 */
import { all, closestTo, inside, setText } from "../lib/dom.js";
import { Presets } from "./presets.js";

const WHOLE = 60_000; // bytes of a request that may outlive its page
const NO_CONNECTION = "The settings are not saved: there is no connection.";

/**
 * Shows what the chosen model takes, and hides what it has no use for.
 * @param {HTMLFormElement} form
 */
export function fit(form) {
  /** @type {Record<string, {about: string, lacks: string[], highest: number}>} */
  const facts = JSON.parse(inside(form, "[data-facts]").dataset.facts ?? "");
  const { about, lacks, highest } = facts[field(form, "model")?.value] ?? Object.values(facts)[0];
  setText(inside(form, "#option-about"), about);
  field(form, "temperature").max = String(highest);
  for (const part of all(form, "[data-field]")) part.hidden = lacks.includes(part.dataset.field ?? "");
  inside(form, "[data-field=budget]").hidden = !field(form, "reasoning").checked;
}

/**
 * Fits the fields to what is chosen, and keeps Enter from sending them: they are no message. `changed(field)` hears of each.
 * @param {HTMLFormElement} form
 * @param {(field: HTMLInputElement) => void} changed
 */
export function keepFitting(form, changed = () => {}) {
  document.addEventListener("change", ({ target }) => {
    const changedField = fields(form).find((element) => element === target); // the model's is elsewhere on the page
    if (!changedField) return;
    fit(form);
    changed(changedField);
  });
  form.addEventListener("keydown", (event) => {
    const box = closestTo(event, "[data-options] input");
    if (event.key !== "Enter" || !box) return;
    event.preventDefault();
    box.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/** @typedef {Record<string, string>} Values by the names of fields */

/** `refuse(reason)` shows what went wrong where one writes. */
export class Options {
  /**
   * @param {HTMLFormElement} form
   * @param {{say: Say, refuse: (reason: string) => void}} page
   */
  constructor(form, { say, refuse }) {
    this.form = form;
    this.say = say;
    this.refuse = refuse;
    this.stored = this.values();
    /** @type {Values} */
    this.refused = {};
    /** @type {Promise<void> | null} */
    this.saving = null;
    keepFitting(form, (target) => this.change(target));
    new Presets(inside(form, "[data-presets]"), {
      text: () => field(form, "system").value,
      put: (text) => this.write("system", text),
      token: () => this.token(),
      say,
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("pagehide", () => this.save());
  }

  /** @returns {Values} */
  values() {
    const { csrfmiddlewaretoken, ...values } = Object.fromEntries(new FormData(this.form));
    return /** @type {Values} */ (values);
  }

  /** What differs from what is stored, but for what was refused already. */
  news() {
    const values = Object.entries(this.values());
    return Object.fromEntries(
      values.filter(([name, value]) => value !== (this.stored[name] ?? "") && value !== this.refused[name]),
    );
  }

  /**
   * @param {string} name
   * @returns {HTMLElement | null}
   */
  fault = (name) => this.form.querySelector(`#option-${CSS.escape(name)}-fault`);

  /** @param {HTMLInputElement} target */
  change(target) {
    const { name, validity } = target;
    if (!name) return undefined; // the list of presets
    if (validity.badInput) return this.show(name, "This is no number.");
    if (this.values()[name] !== this.refused[name]) this.show(name, "");
    return this.save();
  }

  /**
   * Writes into a field as its reader would.
   * @param {string} name
   * @param {string} text
   */
  write(name, text) {
    const element = field(this.form, name);
    element.value = text;
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Stores what is new, one request after the other; `saving` is there until all is stored. */
  save() {
    const news = this.news();
    if (!Object.keys(news).length) return;
    const before = this.saving ?? Promise.resolve();
    const saving = before.then(() => this.post(news)).catch(() => this.refuse(NO_CONNECTION));
    this.saving = saving;
    saving.then(() => {
      if (this.saving === saving) this.saving = null;
    });
  }

  /** @param {Values} news */
  async post(news) {
    const body = String(new URLSearchParams(news));
    const { settings, faults } = await this.fetch({ method: "POST", body, keepalive: body.length < WHOLE });
    if (Object.keys(faults).length) return this.fail(news, faults);
    for (const [name, value] of Object.entries(news))
      if (this.values()[name] === value) this.put(name, settings[name] ?? value);
    this.take(settings);
    this.refuse("");
    return this.say("Saved.");
  }

  /**
   * Shows why values were refused; the others, which were not stored either, go once more.
   * @param {Values} news
   * @param {Values} faults
   */
  fail(news, faults) {
    for (const [name, fault] of Object.entries(faults)) {
      this.refused[name] = news[name] ?? this.values()[name];
      this.show(name, fault);
    }
    if (!this.form.checkVisibility?.()) this.refuse(inWords(faults));
    this.save();
  }

  token = () => String(new FormData(this.form).get("csrfmiddlewaretoken"));

  /**
   * @param {RequestInit} [options]
   * @returns {Promise<{settings: Values, faults: Values}>}
   */
  async fetch(options = {}) {
    const headers = {
      Accept: "application/json",
      "Content-Type": "application/x-www-form-urlencoded",
      "X-CSRFToken": this.token(),
    };
    const answer = await fetch(this.form.action, { headers, redirect: "error", ...options });
    if (!answer.ok && answer.status !== 400) throw new Error(String(answer.status));
    return answer.json();
  }

  /**
   * Brings the fields in line with what was stored elsewhere; what is being changed here stays.
   * @param {Values} settings
   */
  receive(settings) {
    const values = this.values();
    for (const [name, value] of Object.entries(settings))
      if (name in values && values[name] === this.stored[name]) this.put(name, value);
    this.take(settings);
  }

  /** What was missed while there was no connection. */
  async refresh() {
    if (this.saving) return;
    this.save();
    if (this.saving) return;
    const answer = await this.fetch().catch(() => null); // signed out meanwhile, or offline again
    if (answer) this.receive(answer.settings);
  }

  /** @param {Values} settings */
  take({ name, ...settings }) {
    this.stored = { ...this.stored, ...settings };
    fit(this.form);
    for (const element of document.querySelectorAll(".model")) setText(element, name);
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  put(name, value) {
    const element = field(this.form, name);
    if (element.type === "checkbox") element.checked = value === "on";
    else if (element.value !== value) element.value = value;
    this.show(name, "");
  }

  /**
   * @param {string} name
   * @param {string} fault
   */
  show(name, fault) {
    const line = this.fault(name);
    if (!line) return;
    setText(line, fault);
    line.hidden = !fault;
    field(this.form, name).ariaInvalid = fault ? "true" : null;
  }
}

/**
 * The controls of a form, as inputs: what is used here of others they have too.
 * @param {HTMLFormElement} form
 */
const fields = (form) => /** @type {HTMLInputElement[]} */ ([...form.elements]);

/**
 * The control of that name, not what stands in for a box that is not checked.
 * @param {HTMLFormElement} form
 * @param {string} name
 * @returns {HTMLInputElement}
 */
const field = (form, name) =>
  /** @type {HTMLInputElement} */ (
    fields(form).find((element) => element.name === name && element.type !== "hidden")
  );

/** @param {string} name */
const labelOf = (name) => document.querySelector(`label[for="option-${name}"]`)?.textContent ?? "This";

/** @param {Values} faults */
const inWords = (faults) =>
  Object.entries(faults)
    .map(([name, fault]) => `${labelOf(name)} is not saved: ${fault}`)
    .join(" ");
