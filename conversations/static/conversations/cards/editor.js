/**
 * The arguments of a call in an editor: sent when they are a JSON object; else a sentence says where they are not.
 */
import { fromTemplate, inside } from "../lib/dom.js";
import { keepGrowing } from "../lib/growing.js";
import { exact, pretty } from "../lib/json.js";
import { isComposing, sends } from "../lib/keys.js";

/**
 * Opens the editor in a place; the focus comes back to the opener when it is left.
 * @param {HTMLElement} place
 * @param {{text: string, action: string, opener: HTMLElement, submit: (input: object) => void}} options
 */
export function openEditor(place, { text, action, opener, submit }) {
  const form = fromTemplate("editor-template");
  const textarea = inside(form, "textarea");
  const close = () => {
    place.replaceChildren();
    opener.focus({ preventScroll: true });
  };
  textarea.value = pretty(text);
  inside(form, "[type=submit]").textContent = action;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = objectIn(textarea.value);
    if (input.problem !== undefined) return refuse(form, input);
    close();
    return submit(input.value);
  });
  inside(form, "[type=button]").addEventListener("click", close);
  form.addEventListener("keydown", (event) => press(event, form, close));
  textarea.addEventListener("input", () => refuse(form, { problem: "" }));
  place.replaceChildren(form);
  keepGrowing(textarea);
  textarea.focus();
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLFormElement} form
 * @param {() => void} close
 */
function press(event, form, close) {
  if (event.key === "Escape" && !isComposing(event)) {
    event.stopPropagation();
    close();
  } else if ((event.ctrlKey || event.metaKey) && sends(event)) {
    event.preventDefault();
    form.requestSubmit();
  }
}

/** @typedef {{problem: string, at?: number}} Fault */

/**
 * The object that a text is, or what is wrong, and at which character if that is known.
 * @param {string} text
 * @returns {{value: object, problem?: undefined} | Fault}
 */
export function objectIn(text) {
  try {
    const value = exact(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { value } : { problem: "The arguments have to be an object: { … }.", at: 0 };
  } catch (error) {
    const at = offsetIn(/** @type {Error} */ (error).message, text);
    return {
      problem: at === undefined ? "This is not JSON." : `This is not JSON: ${placeInWords(text, at)}.`,
      at,
    };
  }
}

/**
 * The place that an error names: Chromium tells a position, Firefox a line and a column, Safari neither.
 * @param {string} reason
 * @param {string} text
 */
function offsetIn(reason, text) {
  const position = /position (\d+)/.exec(reason);
  if (position) return Number(position[1]);
  const [line, column] = /line (\d+) column (\d+)/.exec(reason)?.slice(1).map(Number) ?? [];
  if (line)
    return (
      text
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length +
      column -
      (line > 1 ? 0 : 1)
    );
  return /end of (?:JSON|data)|unterminated/i.test(reason) ? text.length : undefined;
}

/**
 * @param {string} text
 * @param {number} at
 */
function placeInWords(text, at) {
  const before = text.slice(0, at).split("\n");
  const where = `line ${before.length}, character ${before[before.length - 1].length + 1}`;
  const character = text.slice(at).trimStart()[0];
  return character ? `${where}, at ${character}` : `${where}, where it ends too early`;
}

/**
 * @param {HTMLFormElement} form
 * @param {Fault} fault
 */
function refuse(form, { problem, at }) {
  const textarea = inside(form, "textarea");
  const failure = inside(form, ".failure");
  failure.hidden = !problem;
  failure.textContent = problem;
  textarea.ariaInvalid = problem ? "true" : null;
  if (!problem) return;
  textarea.focus();
  if (at !== undefined) textarea.setSelectionRange(at, at + 1);
}
