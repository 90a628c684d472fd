/**
 * Text of many lines, of which the first are in sight until the reader wants them all.
 */
import { button } from "./dom.js";
import { count } from "./format.js";

const MOST = 40; // lines that are not folded
const FEWER = "Show fewer lines";

/**
 * Boxes that were looked at: the length of their text, and the button if there is one.
 * @type {WeakMap<Element, {length: number, more?: HTMLButtonElement}>}
 */
const folds = new WeakMap();

/**
 * Folds the box if its text is long, once; what the reader has unfolded stays so. The button stands behind the box.
 * @param {HTMLElement} box
 */
export function foldLines(box) {
  const text = box.textContent;
  const before = folds.get(box);
  if (before?.length === text.length) return;
  const lines = linesOf(text);
  const more = before?.more ?? (lines > MOST ? fold(box, lines) : undefined);
  folds.set(box, { length: text.length, more });
  if (more) more.dataset.all = labelFor(lines);
  if (more?.ariaExpanded === "false") more.textContent = labelFor(lines);
}

/**
 * How many lines a text has; one that ends with a line's end has no further one.
 * @param {string} text
 */
export function linesOf(text) {
  let [lines, at] = [1, text.indexOf("\n")];
  for (; at >= 0 && at < text.length - 1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

/** @param {number} lines */
const labelFor = (lines) => `Show all ${count(lines)} lines`;

/**
 * @param {HTMLElement} box
 * @param {number} lines
 */
function fold(box, lines) {
  const more = button("quiet unfold", "", () => set(more.ariaExpanded === "false", true));
  more.dataset.all = labelFor(lines);
  /** @type {(isWhole: boolean, byButton: boolean) => void} */
  const set = (isWhole, byButton) => {
    box.classList.toggle("folded", !isWhole);
    more.ariaExpanded = String(isWhole);
    more.textContent = isWhole ? FEWER : (more.dataset.all ?? "");
    if (!byButton) return;
    if (isWhole) box.focus({ preventScroll: true });
    else box.scrollIntoView({ block: "nearest", behavior: "instant" });
  };
  // The browser scrolls in it where it has found something, or something is selected on and on.
  box.addEventListener("scroll", () => {
    if (!box.classList.contains("folded") || box.scrollTop === 0) return;
    set(true, false);
  });
  if (!box.hasAttribute("tabindex")) box.tabIndex = -1;
  box.after(more);
  set(false, false);
  return more;
}

/**
 * Whether the reader is in the middle of a box that is higher than the window, and not at the page's end: it had better not shrink.
 * @param {Element} box
 */
export function isReadInside(box) {
  const { top, bottom } = box.getBoundingClientRect();
  const { scrollHeight } = document.documentElement;
  return top < 0 && bottom > innerHeight && scrollHeight - innerHeight - scrollY > innerHeight;
}
