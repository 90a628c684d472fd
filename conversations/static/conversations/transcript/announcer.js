/**
 * Says, in one polite live region, what begins and what ends; tokens are not read out.
 */
import { decisionOf } from "../cards/approval.js";
import { tryingAgain } from "./foot.js";
import { callName } from "./reducer.js";

/** @type {{[Type in AguiEvent["type"]]?: (event: EventOf<Type>, state: State) => string | undefined}} */
const SAYINGS = {
  RUN_STARTED: () => "The assistant is answering.",
  RUN_FINISHED: ({ outcome }, state) =>
    (outcome && ENDS[outcome.type]?.(outcome, state)) ?? "The answer is finished.",
  TOOL_CALL_START: ({ toolCallName, metadata }) =>
    metadata?.repeated ? "" : `Tool call ${toolCallName} started.`,
  TOOL_CALL_RESULT: ({ toolCallId, metadata }, state) =>
    `Tool call ${callName(state, toolCallId) ?? ""} ${ENDED[metadata.error ?? ""] ?? ENDED[metadata.status]}.`,
  STEP_FINISHED: ({ metadata }) =>
    metadata.interrupted ? "The answer was interrupted. It begins again." : "",
  CUSTOM: ({ name, value }, state) => {
    /** @type {((value: any, state: State) => string) | undefined} */
    const news = NEWS[name];
    return news?.(value, state);
  },
};

/** @type {Record<string, (outcome: Outcome, state: State) => string>} */
const ENDS = {
  cancelled: () => "Stopped.",
  interrupt: ({ interrupts = [] }, state) => {
    const names = interrupts.map(({ toolCallId = "" }) => callName(state, toolCallId) ?? "");
    return `Waiting for your approval: tool call ${names.join(", ")}.`;
  },
};

/** @type {Record<string, string>} */
const ENDED = {
  success: "succeeded",
  error: "failed",
  denied: "was denied",
  expired: "expired without a decision",
  interrupted: "was interrupted",
  stopped: "was stopped",
  round_limit: "was not run",
  not_run: "was not run",
  switched_off: "was not run",
  not_permitted: "was not run",
  max_tokens: "was cut off and not run",
  damaged: "arrived damaged and was not run",
  timeout: "timed out",
};

/** @type {{[Name in keyof CustomValues]?: (value: CustomValues[Name], state: State) => string}} */
const NEWS = {
  "turntable.retrying": (value) => `${tryingAgain(value)}.`,
  "turntable.adjusted": ({ what }) => what,
  "turntable.approval": (value, state) =>
    `Tool call ${callName(state, value.toolCallId) ?? ""}: ${decisionOf(value)}.`,
};

/** Says sentences in a live region. */
export class Announcer {
  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
    /** @type {string[]} */
    this.waiting = [];
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /**
   * Takes note of an event that has just been applied.
   * @param {AguiEvent} event
   * @param {State} state
   */
  hear(event, state) {
    /** @type {((event: any, state: State) => string | undefined) | undefined} */
    const saying = SAYINGS[event.type];
    const sentence = saying?.(event, state);
    if (sentence) this.say(sentence);
  }

  /**
   * Says a sentence, together with others of the same moment.
   * @param {string} sentence
   */
  say(sentence) {
    this.waiting.push(sentence);
    this.timer ??= setTimeout(() => this.speak(), 150);
  }

  speak() {
    this.region.textContent = this.waiting.join(" ");
    this.waiting = [];
    this.timer = undefined;
  }
}
