/**
 * The form that asks for the variables of a prompt. Enter goes on as it does where one writes a message, Escape leaves.
 */
import { openDialog } from "../lib/dialog.js";
import { button, create } from "../lib/dom.js";
import { writeIn } from "./composer.js";

/**
 * Asks for a value for each name; null if the reader leaves.
 * @param {string} prompt the name of the prompt
 * @param {string[]} names
 * @returns {Promise<Record<string, string> | null>}
 */
export async function askFor(prompt, names) {
  const fields = names.map(drawField);
  const form = create("form", "variables", ...fields.flatMap(({ label, box }) => [label, box]));
  const dialog = await openDialog(`/${prompt}`, form);
  const cancel = button("quiet", "Cancel", () => dialog.close());
  form.append(create("div", "buttons", cancel, create("button", "primary", "Insert")));
  const boxes = fields.map(({ box }) => box);
  for (const box of boxes) writeIn(box);
  boxes[0].focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(Object.fromEntries(names.map((name, index) => [name, boxes[index].value])));
      dialog.close();
    });
    dialog.addEventListener("close", () => resolve(null));
  });
}

/**
 * @param {string} name
 * @param {number} index
 */
function drawField(name, index) {
  const id = `variable-${index}`;
  const label = Object.assign(create("label", "", name), { htmlFor: id, dir: "auto" });
  const box = Object.assign(document.createElement("textarea"), { id, rows: 1, dir: "auto" });
  return { label, box };
}
