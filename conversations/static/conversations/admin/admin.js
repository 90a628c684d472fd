/**
 * The admin's copy buttons: the JSON beside a button, set out in lines.
 */
import { copyOnClick } from "../lib/copy.js";
import { inside } from "../lib/dom.js";
import { pretty } from "../lib/json.js";

function start() {
  const status = document.querySelector(".feedback");
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll("[data-copy]");
  for (const button of buttons) button.hidden = false;
  copyOnClick(
    (button) => pretty(inside(button.parentElement ?? document, ".tree").textContent),
    (sentence) => {
      if (status) status.textContent = sentence;
    },
  );
}

start();
