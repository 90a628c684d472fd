/**
 * What a running call asks: its form comes from the page of what waits, and is answered there.
 */
import { loadDocument, sendForm } from "../lib/documents.js";
import { around, byId, create, inside, setText } from "../lib/dom.js";

const FAILED = "The question could not be loaded.";

/**
 * Draws the form of a question into its place, once it is there.
 * @param {HTMLElement} place
 * @param {Interrupt} interrupt
 */
export async function drawQuestion(place, { id, message }) {
  const waits = create("p", "what", create("strong", "question", message ?? ""));
  place.append(waits);
  const { waiting } = byId("transcript").dataset;
  const page = await loadDocument(waiting ?? "").catch(() => null);
  if (!waits.isConnected) return;
  /** @type {Iterable<HTMLElement>} */
  const questions = page?.querySelectorAll("[data-interrupt]") ?? [];
  const question = [...questions].find(({ dataset }) => dataset.interrupt === id);
  if (!question) return setText(waits, FAILED);
  question.addEventListener("submit", answer);
  waits.replaceWith(question);
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
