/**
 * What a key means where one writes, decided here for every box.
 */

/**
 * Whether the key belongs to an input method. Safari ends a composition before the Enter that confirms it: only the key code tells.
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Whether this is a touch screen without a keyboard, on which Enter is the only key that breaks a line. */
export const isTouch = () => matchMedia("(hover: none) and (pointer: coarse)").matches;

/**
 * Whether the key sends what is written.
 * @param {KeyboardEvent} event
 * @param {boolean} touch
 */
export function sends(event, touch = isTouch()) {
  if (event.key !== "Enter" || isComposing(event)) return false;
  return event.ctrlKey || event.metaKey || (!event.shiftKey && !touch);
}
