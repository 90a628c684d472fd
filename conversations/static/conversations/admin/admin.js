/**
 * The admin's copy buttons: the JSON beside a button, set out in lines.
 */
import { copyOnClick } from "../lib/copy.js";
import { pretty } from "../lib/json.js";

function start() {
  const status = document.querySelector(".said");
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  copyOnClick(
    (button) => pretty(button.parentElement.querySelector(".tree").textContent),
    (sentence) => {
      if (status) status.textContent = sentence;
    },
  );
}

start();
