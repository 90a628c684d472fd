/**
 * What stands below a turn: why it ended as it did, and what it waits for.
 */
import { visible } from "./markdown.js";

// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html: the values of stopReason
const QUIET = new Set([null, undefined, "end_turn", "tool_use", "stop_sequence"]);
const STOP_REASONS = {
  max_tokens: "The answer was cut: it reached the limit on its length.",
  model_context_window_exceeded: "The answer was cut: the conversation fills the model's context window.",
  guardrail_intervened: "A guardrail stepped in.",
  content_filtered: "A content filter stepped in.",
  malformed_model_output: "The model's output could not be read.",
  malformed_tool_use: "The model's tool call could not be read.",
};

/** A quiet sentence about how the turn ended, or null. */
export function notice({ status, stopReason }) {
  if (status === "stopped") return "Stopped.";
  if (status === "waiting") return "Waiting for an approval.";
  if (QUIET.has(stopReason)) return null;
  return STOP_REASONS[stopReason] ?? `The model stopped for a reason that is not known here: ${visible(stopReason)}.`;
}

/** What the turn is doing now, or null. */
export function doing(turn, last, retrying) {
  if (turn.status === "queued") return "Queued";
  if (turn.status === "sending") return "Sending";
  if (turn.status !== "running") return null;
  return retrying ? tryingAgain(retrying) : working(last);
}

/** When the next attempt begins, and which it is. */
export const tryingAgain = ({ seconds, attempt, of }) => `Trying again in ${Math.ceil(seconds)} s (${attempt} of ${of})`;

function working(last) {
  if (last?.kind === "tool") return last.message.metadata.open ? "Writing a tool call" : "Working";
  if (last?.message.metadata.open) return last.kind === "reasoning" ? "Thinking" : "Writing";
  return "Waiting for the model";
}

/** Brings a turn's foot in line with it. */
export function drawFoot(foot, { turn, blocks }, retrying) {
  line(foot, "failure", turn.error && visible(turn.error.message), "alert");
  line(foot, "notice", notice(turn));
  countDown(line(foot, "doing", doing(turn, blocks.at(-1), retrying)), turn.status === "running" && retrying);
  const answered = blocks.some(({ kind, message }) => kind === "assistant" && !message.metadata.open);
  foot.querySelector(".actions").hidden = !answered || turn.status === "running";
}

function line(foot, name, text, role) {
  const old = foot.querySelector(`.${name}`);
  if (!text) return void old?.remove();
  const element = old ?? foot.insertBefore(document.createElement("p"), foot.lastElementChild);
  element.className = name;
  if (role) element.setAttribute("role", role);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

function countDown(element, retrying) {
  if (!element) return;
  if (retrying) Object.assign(element.dataset, { ...retrying, until: Date.now() + retrying.seconds * 1000 });
  else delete element.dataset.until;
}

/** Counts down to the next attempt. */
export function tick(root) {
  for (const element of root.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, (Number(element.dataset.until) - Date.now()) / 1000);
    element.textContent = tryingAgain({ ...element.dataset, seconds });
  }
}
