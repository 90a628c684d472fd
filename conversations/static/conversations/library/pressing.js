/**
 * Long presses on a touch screen whose browser makes no context menu of them.
 */
const LONG_MS = 500;
const FAR = 10; // pixels that a finger may tremble

/** Calls `press(element, point)` when an element that the selector names is pressed long; the click that follows is none. */
export function onLongPress(selector, press) {
  let timer;
  let start;
  let wasLong = false;
  const end = () => clearTimeout(timer);
  document.addEventListener("pointerdown", (event) => {
    end();
    wasLong = false;
    const element = /** @type {Element} */ (event.target).closest(selector);
    if (event.pointerType !== "touch" || !element) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      wasLong = true;
      press(element, start);
    }, LONG_MS);
  });
  document.addEventListener("click", (event) => wasLong && event.preventDefault(), { capture: true });
  document.addEventListener("pointermove", ({ pointerType, clientX, clientY }) => {
    if (pointerType === "touch" && start && Math.hypot(clientX - start.x, clientY - start.y) > FAR) end(); // a mouse may rest elsewhere
  });
  for (const name of ["pointerup", "pointercancel", "contextmenu"]) document.addEventListener(name, end);
}
