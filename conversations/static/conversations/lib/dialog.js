/**
 * Dialogs: over the page, which waits; Escape, a click beside it and a button close them, and the focus goes back to where it was.
 */
import { button, create } from "./dom.js";
import { style } from "./styles.js";

/**
 * Opens a dialog with its name as its heading, which lasts until it is closed.
 * @param {string} name
 * @param {Node[]} content
 */
export async function openDialog(name, ...content) {
  const heading = create("h2", "", name);
  heading.id = "dialog-name";
  const dialog = create("dialog", "dialog");
  const close = button("quiet", "Close", () => dialog.close());
  dialog.append(create("div", "dialog-head", heading, close), ...content);
  dialog.setAttribute("aria-labelledby", heading.id);
  return show(dialog);
}

/**
 * Opens a dialog element over the page.
 * @param {HTMLDialogElement} dialog
 */
export async function show(dialog) {
  await style(new URL("./dialog.css", import.meta.url)).catch(() => undefined); // plain is better than none
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("mousedown", (event) => {
    if (!isBeside(event, dialog)) return;
    event.preventDefault(); // the focus would go to the page's body
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * The backdrop is the dialog's.
 * @param {MouseEvent} event
 * @param {HTMLDialogElement} dialog
 */
function isBeside({ target, clientX, clientY }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  const isWithin = clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
  return target === dialog && !isWithin;
}
