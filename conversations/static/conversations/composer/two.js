/**
 * Asks a second model too: what is written goes to both, and leads to the page with their answers beside each other.
 */
import { byId, closestTo, create } from "../lib/dom.js";

export const WITH_FILES = "Two models cannot be asked with files. Send them to one, or remove them.";
const GAP = 4; // pixels between the button and the menu above it

/** Opens the menu above its button, for below is where one writes; without the model that is chosen already. */
function place(menu) {
  for (const button of menu.querySelectorAll("button")) button.hidden = button.value === byId("model")?.value;
  const { left, top } = byId("ask-two").getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  menu.style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - offsetWidth - GAP))}px`;
  menu.style.top = `${Math.max(GAP, top - offsetHeight - GAP)}px`;
  menu.querySelector("button:not([hidden])").focus();
}

const field = (name, value) => Object.assign(create("input"), { type: "hidden", name, value });

function refuse(reason) {
  byId("refusal").textContent = reason;
  byId("refusal").hidden = false;
}

/** Sends what is written as a form of its own: the composer's goes through the socket. */
function ask(menu, second) {
  const textarea = byId("message");
  const text = textarea.value;
  menu.hidePopover();
  if (byId("attached")?.querySelector("li")) return refuse(WITH_FILES);
  if (!text.trim()) return textarea.focus();
  const form = create("form");
  const { action, token } = menu.dataset;
  form.append(field("message", text), field("second", second), field("csrfmiddlewaretoken", token));
  Object.assign(form, { method: "post", action, hidden: true });
  document.body.append(form);
  textarea.value = "";
  textarea.dispatchEvent(new Event("input"));
  form.submit();
}

/** On the start page the form that begins a conversation takes the second model along. */
function begin(menu, second) {
  menu.hidePopover();
  const along = field("second", second);
  byId("composer").append(along);
  byId("composer").requestSubmit();
  along.remove();
}

/** Wires the button, if the page has one, to the menu of the other models, and each model to its question. */
export function offerSecond() {
  const menu = byId("seconds");
  menu?.addEventListener("toggle", ({ newState }) => newState === "open" && place(menu));
  menu?.addEventListener("click", (event) => {
    const button = closestTo(event, "button");
    if (button) (menu.dataset.action ? ask : begin)(menu, button.value);
  });
}
