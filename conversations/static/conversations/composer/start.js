/**
 * The list of conversations: a new one starts with its first message.
 */
import { fillFromButtons, submitOnEnter } from "./composer.js";

function start() {
  const textarea = document.getElementById("message");
  submitOnEnter(textarea);
  fillFromButtons(textarea);
}

start();
