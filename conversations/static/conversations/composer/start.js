/**
 * A page that lists what is stored: times are the reader's own, and where there is a box a new conversation starts with its first message.
 */
import { all, byId, inside } from "../lib/dom.js";
import { grow } from "../lib/growing.js";
import { switchThemes } from "../lib/theme.js";
import { showLocalTimes } from "../lib/times.js";

import { fillFromButtons, writeIn } from "./composer.js";
import { fit, keepFitting } from "./options.js";
import { Presets } from "./presets.js";
import { Prompts } from "./prompts.js";
import { attachAtStart, hiddenValue } from "./starting.js";
import { offerSecond } from "./two.js";

function start() {
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector("form[data-start]");
  if (form) begin(form);
  /** @type {HTMLFormElement | null} */
  const themes = document.querySelector("form.theme");
  if (themes) switchThemes(themes);
  showLocalTimes(document);
}

/** @param {HTMLFormElement} form */
function begin(form) {
  const textarea = byId("message");
  writeIn(textarea);
  fillFromButtons(textarea);
  offerSecond();
  new Prompts(textarea, byId("prompts"), {
    put: (text) => {
      textarea.value = text;
      grow(textarea);
    },
    say: (sentence) => byId("announcer").replaceChildren(sentence),
  });
  offerPresets(form);
  attachAtStart(form);
  keepFitting(form);
  fit(form); // the browser may have filled it in with what it held before
  sendOnce(form);
}

/** @param {HTMLFormElement} form */
function offerPresets(form) {
  /** @type {HTMLElement | null} */
  const presets = form.querySelector("[data-presets]"); // none where nothing is kept
  /** @type {HTMLTextAreaElement} */
  const instructions = inside(form, "#system");
  if (!presets) return;
  new Presets(presets, {
    text: () => instructions.value,
    put: (text) => {
      instructions.value = text;
    },
    token: () => hiddenValue(form, "csrfmiddlewaretoken"),
    say: (sentence) => byId("announcer").replaceChildren(sentence),
  });
}

/**
 * Lets a form be sent once, and with a word in it: a second press would make a second conversation.
 * @param {HTMLFormElement} form
 */
function sendOnce(form) {
  let isSent = false;
  addEventListener("pageshow", () => (isSent = false)); // also when the reader has come back
  form.addEventListener("submit", (event) => {
    /** @type {(HTMLInputElement | HTMLTextAreaElement)[]} */
    const boxes = all(form, "#message, #system, #new-title");
    const isBlank = boxes.every(({ value }) => !value.trim());
    if (isSent || isBlank) event.preventDefault();
    else isSent = true;
  });
}

start();
