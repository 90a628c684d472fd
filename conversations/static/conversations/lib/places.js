/**
 * Where menus stand: above their button or at a point, whole in the window.
 */

const GAP = 4; // pixels to the button, or to the edge of the window

/**
 * Puts a menu above its button, for below is where one writes.
 * @param {HTMLElement} menu
 * @param {Element} opener
 */
export function placeAbove(menu, opener) {
  const { left, top } = opener.getBoundingClientRect();
  const furthest = document.documentElement.clientWidth - menu.offsetWidth - GAP;
  menu.style.left = `${Math.max(GAP, Math.min(left, furthest))}px`;
  menu.style.top = `${Math.max(GAP, top - menu.offsetHeight - GAP)}px`;
}

/**
 * Puts a menu at a point of the window.
 * @param {HTMLElement} menu
 * @param {{x: number, y: number}} point
 */
export function placeAt(menu, { x, y }) {
  const { clientWidth, clientHeight } = document.documentElement;
  menu.style.left = `${Math.max(GAP, Math.min(x, clientWidth - menu.offsetWidth - GAP))}px`;
  menu.style.top = `${Math.max(GAP, Math.min(y, clientHeight - menu.offsetHeight - GAP))}px`;
}
