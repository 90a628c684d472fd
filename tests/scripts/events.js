/**
 * Events of a record, numbered as they are written.
 */

export class Record {
  constructor() {
    this.events = [];
  }

  add(type, fields = {}, metadata = {}) {
    const seq = this.events.length + 1;
    this.events.push({ type, timestamp: 1000 * seq, ...fields, metadata: { ...metadata, seq } });
    return this;
  }

  question(id, text) {
    return this.add("TEXT_MESSAGE_START", { messageId: id, role: "user" })
      .add("TEXT_MESSAGE_CONTENT", { messageId: id, delta: text })
      .add("TEXT_MESSAGE_END", { messageId: id });
  }

  answer(id, ...deltas) {
    this.add("TEXT_MESSAGE_START", { messageId: id, role: "assistant" });
    for (const delta of deltas) this.add("TEXT_MESSAGE_CONTENT", { messageId: id, delta });
    return this.add("TEXT_MESSAGE_END", { messageId: id });
  }

  call(id, name, ...deltas) {
    this.add("TOOL_CALL_START", { toolCallId: id, toolCallName: name });
    for (const delta of deltas) this.add("TOOL_CALL_ARGS", { toolCallId: id, delta });
    return this.add("TOOL_CALL_END", { toolCallId: id });
  }

  result(id, content, metadata = { status: "success", durationMs: 5 }) {
    return this.add("TOOL_CALL_RESULT", { messageId: `result:${id}`, toolCallId: id, content }, metadata);
  }

  start(turn, fields = {}) {
    return this.add("RUN_STARTED", { runId: turn, ...fields });
  }

  finish(turn, outcome = { type: "success" }) {
    return this.add("RUN_FINISHED", { runId: turn, outcome });
  }

  step(number) {
    return this.add("STEP_STARTED", { stepName: `round ${number}` });
  }

  stepEnd(number, metadata = {}) {
    return this.add("STEP_FINISHED", { stepName: `round ${number}` }, metadata);
  }
}
