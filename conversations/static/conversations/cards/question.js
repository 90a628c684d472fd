/**
 * What a running call asks: its form comes from the page of what waits, and is answered there.
 */
import { loadDocument, sendForm } from "../lib/documents.js";
import { all, around, button, byId, create, inside, setText } from "../lib/dom.js";

const CONTROLS = "input:not([type=hidden]), select, button";
const FAILED = "The question could not be loaded.";

/**
 * Draws the form of a question into its place, once it is there; it is tried again when the reader wants that.
 * @param {HTMLElement} place
 * @param {Interrupt} interrupt
 */
export async function drawQuestion(place, interrupt) {
  const waits = create("p", "approval what", create("strong", "question", interrupt.message ?? ""));
  place.append(waits);
  const question = await loadQuestion(interrupt.id);
  if (!waits.isConnected) return;
  if (!question) return waits.replaceChildren(FAILED, " ", button("quiet", "Try again", tryAgain));
  question.addEventListener("submit", answer);
  waits.replaceWith(question);

  async function tryAgain() {
    waits.remove();
    await drawQuestion(place, interrupt);
    inside(place, CONTROLS)?.focus();
  }
}

/** @param {string} id */
async function loadQuestion(id) {
  const { waiting = "" } = byId("transcript").dataset;
  const page = await loadDocument(waiting).catch(() => null);
  return page && all(page, "[data-interrupt]").find(({ dataset }) => dataset.interrupt === id);
}

/** @param {SubmitEvent} event */
async function answer(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const place = around(form, ".answering");
  event.preventDefault();
  event.stopPropagation();
  if (place.ariaBusy === "true") return;
  place.ariaBusy = "true";
  const feedback = inside(place, ".feedback");
  try {
    const page = await sendForm(form);
    setText(feedback, page.getElementById("problem")?.textContent.trim() ?? "");
  } catch (error) {
    setText(feedback, /** @type {Error} */ (error).message);
  }
  place.ariaBusy = "false";
}
