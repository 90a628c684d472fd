/**
 * How a tool call stands: one of the states below, told by a word and a mark (marks.js).
 */

const STATES = {
  writing: "Writing arguments",
  waiting: "Waiting for approval",
  decided: "Decided, waits for the others",
  held: "Waits for the others",
  running: "Running",
  success: "Succeeded",
  error: "Failed",
  denied: "Denied",
  expired: "Expired",
  interrupted: "Interrupted",
  stopped: "Stopped",
  unfinished: "Not finished",
};

// By `metadata.error` of a result: states of their own, and words for what has failed in a way of its own.
const OWN = { denied: "denied", expired: "expired", interrupted: "interrupted", stopped: "stopped", cut: "unfinished" };
const FAILURES = {
  round_limit: "Not run",
  not_recorded: "Not recorded",
  timeout: "Timed out",
  unknown_tool: "Failed, no such tool",
  invalid_input: "Failed, arguments do not fit",
};

/** Whether a call in this state may still change. */
export const isOpen = (state) => ["writing", "waiting", "decided", "held", "running"].includes(state);

/** Whether it ran to an end of its own, so that the time it took says something. */
export const hasRun = (state) => state === "success" || state === "error";

/** The state of a call's block. */
export function standing({ message, result, ended, interrupt, status }) {
  if (result?.metadata.interrupted || message.metadata.interrupted) return "interrupted";
  if (result) return result.metadata.status === "success" ? "success" : (OWN[result.metadata.error] ?? "error");
  if (status === "waiting") return interrupt ? (interrupt.decided ? "decided" : "waiting") : "held";
  if (ended) return "unfinished";
  return message.metadata.open ? "writing" : "running";
}

/** The word for a state, or for what went wrong. */
export const wordFor = (state, result) => (state === "error" && FAILURES[result.metadata.error]) || STATES[state];
