/**
 * What stands below a turn and has no room on a phone: behind a button there, in the row elsewhere (foot.css).
 */
import { all, around, closestTo } from "../lib/dom.js";

const OPEN = ".more > [aria-expanded=true]";

/**
 * Lets the log's buttons open what they hide; a press elsewhere, Escape and leaving it close that.
 * @param {HTMLElement} log
 */
export function openMore(log) {
  log.addEventListener("click", (event) => {
    const button = closestTo(event, ".more > button");
    if (button) button.ariaExpanded = String(button.ariaExpanded !== "true");
  });
  document.addEventListener("click", ({ target }) => close(log, target));
  log.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && close(log, relatedTarget));
  log.addEventListener("keydown", (event) => event.key === "Escape" && closeAround(event));
}

/**
 * Closes all but the one that the place is in.
 * @param {HTMLElement} log
 * @param {EventTarget | null} place
 */
function close(log, place) {
  if (!(place instanceof Element)) return;
  for (const button of all(log, OPEN))
    if (!button.parentElement?.contains(place) && !place.closest("[popover]")) button.ariaExpanded = "false";
}

/** @param {Event} event */
function closeAround(event) {
  /** @type {HTMLElement | null | undefined} */
  const button = closestTo(event, ".more")?.querySelector(":scope > [aria-expanded=true]");
  if (!button) return;
  event.stopPropagation();
  button.ariaExpanded = "false";
  button.focus();
}

const WIDE = ".versions, [data-do=continue], [data-do=again]"; // what leaves no room beside it

/**
 * Shows in the row what there is; on a phone one button has it where more than one would not fit.
 * @param {HTMLElement} more
 */
export function drawMore(more) {
  const number = more.querySelectorAll(".others > :not([hidden])").length;
  const isFull = all(around(more, ".actions"), WIDE).some(({ hidden }) => !hidden);
  more.hidden = number === 0;
  more.classList.toggle("several", isFull && number > 1);
}
