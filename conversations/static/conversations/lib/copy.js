/**
 * Copy buttons: one on each code block, one below each answer, one after an id to quote.
 */
import { answerIn } from "../text/thoughts.js";
import { around, closestTo, inside } from "./dom.js";

const NOTICE_MS = 2000;

/**
 * What a button copies, as a function, where the page need not say it.
 * @type {WeakMap<Element, () => string>}
 */
export const copies = new WeakMap();

/**
 * Lets every copy button of the page copy what `textOf` gives for it, and says that it is done.
 * @param {(button: HTMLElement) => string} textOf
 * @param {Say} say
 */
export function copyOnClick(textOf, say) {
  document.addEventListener("click", async (event) => {
    const button = closestTo(event, "[data-copy]");
    if (!button) return;
    const text = () =>
      button.dataset.copy === "id" ? (button.previousElementSibling?.textContent ?? "") : textOf(button);
    await copy((copies.get(button) ?? text)());
    say("Copied.");
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, NOTICE_MS);
  });
}

/**
 * The source of a code block, or of a turn's answers without the thoughts in them.
 * @param {HTMLElement} button
 * @param {State} state
 */
export function textToCopy(button, { messages }) {
  if (button.dataset.copy === "code") return inside(around(button, ".code"), "code").textContent;
  const { key } = around(button, ".turn").dataset;
  const ofTurn = messages.filter(({ metadata }) => `turn:${metadata.turn}` === key && !metadata.interrupted);
  const texts = ofTurn.map((message) => (message.role === "assistant" ? (message.content ?? "") : ""));
  return texts.map(answerIn).filter(Boolean).join("\n\n");
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyThroughSelection(text); // a browser may refuse, and plain http in a local network has no clipboard
  }
}

/** @param {string} text */
function copyThroughSelection(text) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
}
