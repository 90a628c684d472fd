/**
 * The list of conversations: a new one starts with its first message.
 */
import { fillFromButtons, writeIn } from "./composer.js";

function start() {
  const textarea = document.getElementById("message");
  writeIn(textarea);
  fillFromButtons(textarea);
}

start();
