/**
 * A sentence that is seen for a while, for what has happened out of sight. Who cannot see it is told by the page's live region.
 */
import { create } from "./dom.js";

const SEEN_MS = 2500;

/** @type {HTMLElement | undefined} */
let current;

/** Shows a sentence in the place of the one before. */
export function toast(sentence) {
  current?.remove();
  const element = create("p", "toast", sentence);
  element.setAttribute("aria-hidden", "true");
  document.body.append(element);
  current = element;
  setTimeout(() => element.remove(), SEEN_MS);
}
