/**
 * A call that waits for a person: the form, and the sentence that says who decided what.
 */
import { all, byId, fromTemplate, inside, setText } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { exactTime } from "../lib/times.js";
import { drawQuestion } from "./question.js";

/** @type {Record<string, (decision: {by: string, editedArgs?: object, reason?: string}) => string>} */
const SENTENCES = {
  approved: ({ by, editedArgs }) => `Approved${by}${editedArgs ? " with changed arguments" : ""}`,
  denied: ({ by, reason }) => `Denied${by}${reason ? `: ${reason}` : ""}`,
  answered: ({ by }) => `Answered${by}`,
  declined: ({ by }) => `Declined to answer${by}`,
  expired: () => "Expired: nobody decided in time",
  withdrawn: ({ by }) => `Withdrawn${by}: the turn was stopped before a decision`,
};

/**
 * A sentence about a decision, the value of `turntable.approval`.
 * @param {Approval} approval
 */
export function decisionOf({ status, decision = "", by, standing, ...details }) {
  if (standing) return "Allowed by your standing permission";
  const decided = status ?? decision; // so it was called in records of before
  const sentence = SENTENCES[decided]?.({ ...details, by: by ? ` by ${by}` : "" }) ?? decided;
  return visible(sentence);
}

/**
 * Shows the decision, if there is one.
 * @param {HTMLElement} element
 * @param {Approval | undefined} approval
 */
export function showDecision(element, approval) {
  element.hidden = !approval;
  if (approval) setText(element, decisionOf(approval));
}

/** Whether the reader may decide and run here: not in the player, not on a page of older messages. */
const isLive = () => "acts" in byId("transcript").dataset;

/**
 * Draws the form while a decision is due, and takes it away afterwards.
 * @param {HTMLElement} card
 * @param {Block} block
 */
export function drawApproval(card, { interrupt, result }) {
  const place = inside(card, ".asking");
  const due = interrupt && !interrupt.decided && !result && isLive() ? interrupt : null;
  if (Boolean(due) === place.childElementCount > 0) return;
  if (due?.reason === "input_required") return void drawQuestion(place, due);
  if (due) return place.append(drawForm(due));
  const parts = [place, inside(card, ".editing")];
  const hadFocus = parts.some((part) => part.contains(document.activeElement));
  for (const part of parts) part.replaceChildren();
  if (hadFocus) inside(card, "summary").focus({ preventScroll: true });
}

/** @param {Interrupt} interrupt */
function drawForm({ message, expiresAt, metadata }) {
  const form = fromTemplate("approval-template");
  setText(inside(form, ".question"), visible(message ?? "Run this?"));
  if (metadata?.always === "tool") offerWholeTool(form);
  /** @type {HTMLTimeElement} */
  const expiry = inside(form, ".expiry");
  expiry.hidden = !expiresAt;
  if (expiresAt) {
    expiry.dataset.expires = expiry.dateTime = expiresAt;
    expiry.title = exactTime(expiresAt);
  }
  return form;
}

/**
 * Offers a permission for the whole tool too; the two boxes exclude each other.
 * @param {HTMLElement} form
 */
function offerWholeTool(form) {
  const labels = all(form, ".always");
  setText(inside(labels[0], "span"), "Always for these arguments");
  for (const label of labels) {
    label.hidden = false;
    label.addEventListener("change", () => {
      for (const other of labels) if (other !== label) inside(other, "input").checked = false;
    });
  }
}
