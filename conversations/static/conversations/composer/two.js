/**
 * Asks a second model too: what is written goes to both, and leads to the page with their answers beside each other.
 */
import { all, byId, closestTo, create, inside } from "../lib/dom.js";
import { placeAbove } from "../lib/places.js";

/** @typedef {import("./attaching.js").Attaching} Attaching */

/**
 * Opens the menu above its button, without the model that is chosen already.
 * @param {HTMLElement} menu
 */
function place(menu) {
  for (const button of all(menu, "button")) button.hidden = button.value === byId("model")?.value;
  placeAbove(menu, byId("ask-two"));
  inside(menu, "button:not([hidden])").focus();
}

/**
 * @param {string} name
 * @param {string} value
 */
const field = (name, value) => Object.assign(create("input"), { type: "hidden", name, value });

/**
 * Says why something was not done, "" when that is over.
 * @param {string} reason
 */
export function refuse(reason) {
  byId("refusal").textContent = reason;
  byId("refusal").hidden = !reason;
}

/**
 * Sends what is written as a form of its own: the composer's goes through the socket.
 * @param {string} action
 * @param {string} token
 * @param {string} second
 * @param {AttachedFile[]} files
 */
export function askBoth(action, token, second, files) {
  const textarea = byId("message");
  const form = create("form");
  form.append(
    field("message", textarea.value),
    field("second", second),
    field("csrfmiddlewaretoken", token),
    ...files.map(({ id }) => field("attachments", id)),
  );
  Object.assign(form, { method: "post", action, hidden: true });
  document.body.append(form);
  textarea.value = "";
  textarea.dispatchEvent(new Event("input"));
  form.submit();
}

/**
 * @param {HTMLElement} menu
 * @param {string} second
 * @param {Attaching} files
 */
function ask(menu, second, files) {
  menu.hidePopover();
  const textarea = byId("message");
  if (!textarea.value.trim() && !files.entries.length) return textarea.focus();
  const problem = files.problem(() => ask(menu, second, files), second);
  if (problem) refuse(problem);
  else askBoth(menu.dataset.action ?? "", menu.dataset.token ?? "", second, files.take());
}

/**
 * On the start page the form that begins a conversation takes the second model along.
 * @param {HTMLElement} menu
 * @param {string} second
 */
function begin(menu, second) {
  menu.hidePopover();
  const along = field("second", second);
  byId("composer").append(along);
  byId("composer").requestSubmit();
  along.remove();
}

/**
 * Wires the button, if the page has one, to the menu of the other models, and each model to its question.
 * @param {Attaching} [files] what is attached to the question; a form of its own looks after that itself
 */
export function offerSecond(files) {
  const menu = byId("seconds");
  menu?.addEventListener("toggle", ({ newState }) => newState === "open" && place(menu));
  menu?.addEventListener("click", (event) => {
    const button = closestTo(event, "button");
    if (button && files) ask(menu, button.value, files);
    else if (button) begin(menu, button.value);
  });
}
