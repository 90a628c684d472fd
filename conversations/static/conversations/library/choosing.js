/**
 * One box that chooses all conversations of a list, and shows whether all are chosen, or some.
 */

/** Brings the boxes of a list in line with the one that was just changed. */
export function follow(box) {
  const form = box.closest(".chosen");
  const all = form.querySelector(".all input");
  /** @type {HTMLInputElement[]} */
  const boxes = Array.from(form.querySelectorAll("[name=ids]"));
  if (box === all) for (const one of boxes) one.checked = all.checked;
  const number = boxes.filter(({ checked }) => checked).length;
  all.checked = number === boxes.length;
  all.indeterminate = number > 0 && number < boxes.length;
}
