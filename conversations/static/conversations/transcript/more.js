/**
 * What stands below a turn and has no room on a phone: behind a button there, in the row elsewhere (foot.css).
 */
import { closestTo } from "../lib/dom.js";

const OPEN = ".more > [aria-expanded=true]";

/** Lets the log's buttons open what they hide; a press elsewhere, Escape and leaving it close that. */
export function openMore(log) {
  log.addEventListener("click", (event) => {
    const button = closestTo(event, ".more > button");
    if (button) button.ariaExpanded = String(button.ariaExpanded !== "true");
  });
  document.addEventListener("click", ({ target }) => close(log, target));
  log.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && close(log, relatedTarget));
  log.addEventListener("keydown", (event) => event.key === "Escape" && closeAround(event));
}

// All but the one that the place is in.
function close(log, place) {
  for (const button of log.querySelectorAll(OPEN))
    if (!button.parentElement.contains(place) && !place.closest("[popover]")) button.ariaExpanded = "false";
}

function closeAround(event) {
  const button = event.target.closest(".more")?.querySelector(":scope > [aria-expanded=true]");
  if (!button) return;
  event.stopPropagation();
  button.ariaExpanded = "false";
  button.focus();
}

const WIDE = ".versions, [data-do=continue], [data-do=again]"; // what leaves no room beside it

/** Shows in the row what there is; on a phone one button has it where more than one would not fit. */
export function drawMore(more) {
  const number = more.querySelectorAll(".others > :not([hidden])").length;
  const isFull = [...more.parentElement.querySelectorAll(WIDE)].some(({ hidden }) => !hidden);
  more.hidden = number === 0;
  more.classList.toggle("several", isFull && number > 1);
}
