/**
 * A page that lists what is stored: times are the reader's own, and where there is a box a new conversation starts with its first message.
 */
import { switchThemes } from "../lib/theme.js";
import { showLocalTimes } from "../lib/times.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { fillFromButtons, writeIn } from "./composer.js";

function start() {
  const textarea = document.getElementById("message");
  if (textarea) writeIn(textarea);
  if (textarea) fillFromButtons(textarea);
  const themes = document.querySelector("form.theme");
  if (themes) switchThemes(themes);
  listenToShortcuts();
  showLocalTimes(document);
}

start();
