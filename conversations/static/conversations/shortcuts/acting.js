/**
 * What the shortcuts of a transcript do: they press its buttons.
 */
import { all, create } from "../lib/dom.js";

const SEEN_MS = 2500;
const MISSING = { answer: "There is no answer to copy.", code: "There is no code to copy." };

/**
 * The actions of a transcript that is read.
 * @param {HTMLElement} log
 * @param {Say} say
 */
export function readingActions(log, say) {
  /** @param {"answer" | "code"} what */
  const copy = (what) => {
    const sentence = press(log, `[data-copy=${what}]`) ? "Copied." : MISSING[what];
    if (sentence !== "Copied.") say(sentence); // what is copied the button says itself
    toast(sentence);
  };
  return { copyAnswer: () => copy("answer"), copyCode: () => copy("code") };
}

/**
 * The actions of a transcript that goes on.
 * @param {HTMLElement} log
 * @param {import("../composer/composer.js").Composer} composer
 * @param {Say} say
 */
export function chattingActions(log, composer, say) {
  return {
    ...readingActions(log, say),
    edit: () => press(log, "button.edit"),
    stop: () => press(composer.form, "#stop:enabled"),
  };
}

/**
 * Presses the last such button, also in a closed menu; false if there is none.
 * @param {HTMLElement} place
 * @param {string} selector
 */
function press(place, selector) {
  const button = all(place, `${selector}:not([hidden])`).at(-1);
  button?.click();
  return Boolean(button);
}

/** @type {HTMLElement | undefined} */
let current;

/**
 * Shows a sentence for a while, in the place of the one before; the live region tells it to who cannot see it.
 * @param {string} sentence
 */
function toast(sentence) {
  current?.remove();
  const element = create("p", "toast", sentence);
  element.setAttribute("aria-hidden", "true");
  document.body.append(element);
  current = element;
  setTimeout(() => element.remove(), SEEN_MS);
}
