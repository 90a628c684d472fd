/**
 * Says, in one polite live region, what begins and what ends; tokens are not read out.
 */
import { tryingAgain } from "./foot.js";
import { callName } from "./reducer.js";

const SAYINGS = {
  RUN_STARTED: () => "The assistant is answering.",
  RUN_FINISHED: ({ outcome }) => (outcome?.type === "cancelled" ? "Stopped." : "The answer is finished."),
  TOOL_CALL_START: ({ toolCallName }) => `Tool call ${toolCallName} started.`,
  TOOL_CALL_RESULT: ({ toolCallId, metadata }, state) =>
    `Tool call ${callName(state, toolCallId) ?? ""} ${metadata.status === "success" ? "succeeded" : "failed"}.`,
  STEP_FINISHED: ({ metadata }) => (metadata.interrupted ? "The answer was interrupted. It begins again." : ""),
  CUSTOM: ({ name, value }) => (name === "turntable.retrying" ? `${tryingAgain(value)}.` : ""),
};

export class Announcer {
  constructor(region) {
    this.region = region;
    this.waiting = [];
  }

  /** Takes note of an event that has just been applied. */
  hear(event, state) {
    const saying = SAYINGS[event.type]?.(event, state);
    if (saying) this.say(saying);
  }

  /** Says a sentence, together with others of the same moment. */
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
