/**
 * A page that lists what is stored: times are the reader's own, and where there is a box a new conversation starts with its first message.
 */
import { byId } from "../lib/dom.js";
import { grow } from "../lib/growing.js";
import { switchThemes } from "../lib/theme.js";
import { showLocalTimes } from "../lib/times.js";

import { fillFromButtons, writeIn } from "./composer.js";
import { fit, keepFitting } from "./options.js";
import { Presets } from "./presets.js";
import { Prompts } from "./prompts.js";
import { attachAtStart } from "./starting.js";
import { offerSecond } from "./two.js";

function start() {
  const form = document.querySelector("form[data-start]");
  if (form) begin(form);
  /** @type {HTMLFormElement | null} */
  const themes = document.querySelector("form.theme");
  if (themes) switchThemes(themes);
  showLocalTimes(document);
}

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

function offerPresets(form) {
  const presets = form.querySelector("[data-presets]"); // none where nothing is kept
  const instructions = form.querySelector("#system");
  if (!presets) return;
  new Presets(presets, {
    text: () => instructions.value,
    put: (text) => {
      instructions.value = text;
    },
    token: () => form.querySelector("input[name=csrfmiddlewaretoken]").value,
    say: (sentence) => byId("announcer").replaceChildren(sentence),
  });
}

// A second press of the key would make a second conversation; a form without a word in it would make an empty one.
function sendOnce(form) {
  let isSent = false;
  addEventListener("pageshow", () => (isSent = false)); // also when the reader has come back
  form.addEventListener("submit", (event) => {
    const isBlank = [...form.querySelectorAll("#message, #system, #new-title")].every(
      ({ value }) => !value.trim(),
    );
    if (isSent || isBlank) event.preventDefault();
    else isSent = true;
  });
}

start();
