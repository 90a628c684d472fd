/**
 * Boxes as high as their text, also where `field-sizing: content` is not known: in Safari and older Firefox.
 */

/**
 * Fits the box to its text, between the least and the most height that its style allows.
 * @param {HTMLTextAreaElement} textarea
 */
export function grow(textarea) {
  if (CSS.supports("field-sizing", "content")) return;
  textarea.style.height = "auto";
  const borders = textarea.offsetHeight - textarea.clientHeight;
  textarea.style.height = `${textarea.scrollHeight + borders}px`;
}

/**
 * Fits the box now, and whenever somebody writes in it.
 * @param {HTMLTextAreaElement} textarea
 */
export function keepGrowing(textarea) {
  textarea.addEventListener("input", () => grow(textarea));
  grow(textarea);
}
