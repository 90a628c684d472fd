/**
 * The state of a tool call, its word, and its mark: a shape of its own beside the word that says the same.
 */
import { svg } from "../lib/dom.js";

/** @type {Record<string, string>} */
const STATES = {
  writing: "Writing arguments",
  waiting: "Waiting for approval",
  asking: "Asks you",
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

/**
 * States by the `error` of a result; any other is a failure.
 * @type {Record<string, string>}
 */
const STATES_BY_ERROR = {
  denied: "denied",
  expired: "expired",
  interrupted: "interrupted",
  stopped: "stopped",
  cut: "unfinished",
};
/**
 * Words for failures, by the same.
 * @type {Record<string, string>}
 */
const FAILURES = {
  round_limit: "Not run",
  not_run: "Not run",
  switched_off: "Not run, switched off",
  not_permitted: "Not run, no permission",
  max_tokens: "Not run, cut at the token limit",
  damaged: "Not run, arrived damaged",
  not_recorded: "Not recorded",
  timeout: "Timed out",
  unknown_tool: "Failed, no such tool",
  invalid_input: "Failed, arguments do not fit",
};

/**
 * Whether a call in this state may still change.
 * @param {string} state
 */
export const isOpen = (state) =>
  ["writing", "waiting", "asking", "decided", "held", "running"].includes(state);

/**
 * Whether a card in this state opens by itself: it waits for the reader, or something went wrong that nobody wanted.
 * @param {string} state
 * @param {Message | undefined} result
 */
export const opensItself = (state, result) =>
  state === "waiting" ||
  state === "asking" ||
  Boolean(result && !isOpen(state) && !["success", "denied", "stopped"].includes(state));

/**
 * Whether the tool ran to its end, so that the time it took says something.
 * @param {string} state
 */
export const hasRun = (state) => state === "success" || state === "error";

/** @param {Interrupt} interrupt */
const waitingFor = ({ decided, reason }) =>
  decided ? "decided" : reason === "input_required" ? "asking" : "waiting";

/**
 * The state of a call's block.
 * @param {Block} block
 */
export function stateOf({ message, result, ended, interrupt, status }) {
  if (result?.metadata.interrupted || message.metadata.interrupted) return "interrupted";
  if (result)
    return result.metadata.status === "success"
      ? "success"
      : (STATES_BY_ERROR[result.metadata.error ?? ""] ?? "error");
  if (status === "waiting") return interrupt ? waitingFor(interrupt) : "held";
  if (ended) return "unfinished";
  return message.metadata.open ? "writing" : "running";
}

/**
 * The word for a state, or for what went wrong.
 * @param {string} state
 * @param {Message | undefined} result
 */
export const wordFor = (state, result) =>
  (state === "error" && FAILURES[result?.metadata.error ?? ""]) || STATES[state];

const CIRCLE = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5";
/** @type {Record<string, string>} */
const SHAPES = {
  writing: "M2.5 13.5l.75-3.25L10.5 3l2.5 2.5l-7.25 7.25zM9 4.5l2.5 2.5",
  waiting: `${CIRCLE}M6 6.25a2 2 0 1 1 2.75 1.85q-.75.35-.75 1.15M8 11.5v.25`,
  asking: `${CIRCLE}M6 6.25a2 2 0 1 1 2.75 1.85q-.75.35-.75 1.15M8 11.5v.25`,
  decided: "M5.5 3v10M10.5 3v10",
  held: "M5.5 3v10M10.5 3v10",
  running: "M8 1.75a6.25 6.25 0 1 1-6.25 6.25",
  success: "M2.5 8.75l3.5 3.5l7.5-8.5",
  error: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  denied: `${CIRCLE}M3.6 3.6l8.8 8.8`,
  expired: `${CIRCLE}M8 4.5v3.75l2.5 1.5`,
  interrupted: "M1.5 8h4l1.25-3.5M9.25 11.5L10.5 8h4",
  stopped: "M3.5 3.5h9v9h-9z",
  unfinished: "M2.5 8h1M7.5 8h1M12.5 8h1",
};

/**
 * The mark of a state, for eyes only.
 * @param {string} state
 */
export function drawMark(state) {
  return svg(
    "svg",
    { class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: SHAPES[state] }),
  );
}
