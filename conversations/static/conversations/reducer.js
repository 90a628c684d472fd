/**
 * What a conversation looks like after an AG-UI event: `reduce(state, event) -> state`, pure.
 *
 * Messages have the shape that MESSAGES_SNAPSHOT gives them, so that a snapshot and the events before it come to the same.
 * What has not changed keeps its identity: the view compares with `===`.
 */

export const EMPTY = { cursor: 0, title: null, before: null, messages: [], turns: [], queue: [] };

/** Where an event stands: "next", "old" (had already), "gap" (something is missing before it) or "aside" (not of the record). */
export function position(state, event) {
  const seq = event.metadata?.seq;
  if (event.type === "MESSAGES_SNAPSHOT" || seq === undefined) return "aside";
  if (seq === state.cursor + 1) return "next";
  return seq > state.cursor ? "gap" : "old";
}

/** The state after the event; the same state when the event is old or comes after a gap. */
export function reduce(state, event) {
  const at = position(state, event);
  if (at === "old" || at === "gap") return state;
  const handle = HANDLERS[event.type] ?? ((unchanged) => unchanged);
  if (at === "aside") return handle(state, event);
  const calm = runningTurn(state)?.retrying ? changeRunning(state, { retrying: null }) : state;
  return { ...handle(calm, event), cursor: event.metadata.seq };
}

/** Puts an older page of the transcript before what is there. */
export function prepend(state, older) {
  const messages = joined(older.messages, state.messages);
  return { ...state, before: older.before, messages, turns: joined(older.turns, state.turns) };
}

function joined(older, newer) {
  const known = new Set(newer.map(({ id }) => id));
  return [...older.filter(({ id }) => !known.has(id)), ...newer];
}

/** The turn that is running, if one is. */
export const runningTurn = (state) => state.turns.findLast((turn) => turn.status === "running");

/** The name of a call that is in the transcript. */
export const callName = (state, id) =>
  state.messages.find((message) => message.id === `call:${id}`)?.toolCalls[0].function.name;

const replaceAt = (list, index, value) => list.with(index, value);
const turnOf = (event) => event.runId.split(":")[0]; // a run after an approval is TURN:2

function changeMessage(state, id, change) {
  const index = state.messages.findLastIndex((message) => message.id === id);
  if (index < 0) return state;
  return { ...state, messages: replaceAt(state.messages, index, change(state.messages[index])) };
}

function placed(state, message) {
  const index = state.messages.findLastIndex(({ id }) => id === message.id);
  const messages = index < 0 ? [...state.messages, message] : replaceAt(state.messages, index, message);
  return { ...state, messages };
}

function putMessage(state, message) {
  const open = { ...message, metadata: { turn: runningTurn(state)?.id, open: true } };
  const queue = state.queue.some(({ id }) => id === message.id) ? dequeued(state, message.id) : state.queue;
  return { ...placed(state, open), queue };
}

const dequeued = (state, id) => state.queue.filter((message) => message.id !== id);

const append = (state, id, delta) =>
  changeMessage(state, id, (message) => ({ ...message, content: message.content + delta }));

const close = (state, id) => changeMessage(state, id, settled);

function settled(message) {
  const { open, ...metadata } = message.metadata;
  return open ? { ...message, metadata } : message;
}

function appendArguments(state, id, delta) {
  return changeMessage(state, `call:${id}`, (message) => {
    const [call] = message.toolCalls;
    const grown = { ...call.function, arguments: call.function.arguments + delta };
    return { ...message, toolCalls: [{ ...call, function: grown }] };
  });
}

function changeTurn(state, id, changes) {
  const index = state.turns.findLastIndex((turn) => turn.id === id);
  if (index < 0) return { ...state, turns: [...state.turns, { ...NEW_TURN, id, ...changes }] };
  const turn = state.turns[index];
  if (Object.entries(changes).every(([key, value]) => turn[key] === value)) return state;
  return { ...state, turns: replaceAt(state.turns, index, { ...turn, ...changes }) };
}

const NEW_TURN = { status: "queued", error: null, stopReason: null, steps: 0, retrying: null };

function changeRunning(state, changes) {
  const turn = runningTurn(state);
  return turn ? changeTurn(state, turn.id, changes) : state;
}

/** Ends the turn: what is still open in it was cut here. */
function endTurn(state, id, changes) {
  const messages = state.messages.map((message) => (message.metadata.turn === id ? settled(message) : message));
  return changeTurn({ ...state, messages }, id, changes);
}

const OUTCOMES = { cancelled: "stopped", interrupt: "waiting" };

function runFinished(state, event) {
  return endTurn(state, turnOf(event), { status: OUTCOMES[event.outcome?.type] ?? "completed" });
}

function runError(state, { code, message }) {
  const turn = runningTurn(state);
  const status = code === "interrupted" ? "interrupted" : "failed";
  return turn ? endTurn(state, turn.id, { status, error: { code, message } }) : state;
}

function toolResult(state, event) {
  const { messageId: id, toolCallId, content } = event;
  const { seq, ...told } = event.metadata;
  const error = told.status === "error" ? { error: Array.from(content.slice(0, 400)).slice(0, 200).join("") } : {};
  const call = state.messages.findLast((message) => message.id === `call:${toolCallId}`);
  const interrupted = call?.metadata.interrupted ? { interrupted: true } : {};
  const metadata = { turn: runningTurn(state)?.id, ...told, ...interrupted };
  return placed(state, { id, role: "tool", toolCallId, content, ...error, metadata });
}

const emptyCall = (event) => ({
  id: `call:${event.toolCallId}`,
  role: "assistant",
  toolCalls: [{ id: event.toolCallId, type: "function", function: { name: event.toolCallName, arguments: "" } }],
});

function stepStarted(state) {
  const turn = runningTurn(state);
  return changeRunning(state, { steps: (turn?.steps ?? 0) + 1 });
}

function stepFinished(state, { metadata }) {
  const told = ["stopReason", "model", "usage"].filter((key) => key in metadata);
  const stepped = metadata.interrupted ? interrupted(state) : state;
  return changeRunning(stepped, Object.fromEntries(told.map((key) => [key, metadata[key]])));
}

// The messages of the step that was cut: what stands behind the question, the last result or an earlier interrupted attempt.
function interrupted(state) {
  const turn = runningTurn(state)?.id;
  const isBefore = ({ role, metadata }) =>
    role === "user" || role === "tool" || metadata.interrupted || metadata.turn !== turn;
  const from = state.messages.findLastIndex(isBefore) + 1;
  const mark = (message) => ({ ...message, metadata: { ...message.metadata, interrupted: true } });
  return { ...state, messages: [...state.messages.slice(0, from), ...state.messages.slice(from).map(mark)] };
}

function snapshot(state, event) {
  const { seq, before = null, turns = [], queue = [] } = event.metadata;
  return { ...state, cursor: seq, before, messages: event.messages, turns, queue };
}

const CUSTOM = {
  "turntable.conversation": (state, { title }) => (title === undefined ? state : { ...state, title }),
  "turntable.retrying": (state, value, { timestamp = null }) => changeRunning(state, { retrying: { ...value, at: timestamp } }),
  "turntable.queued": (state, queue) => ({ ...state, queue }),
};

const HANDLERS = {
  MESSAGES_SNAPSHOT: snapshot,
  RUN_STARTED: (state, event) => changeTurn(state, turnOf(event), { status: "running" }),
  RUN_FINISHED: runFinished,
  RUN_ERROR: runError,
  STEP_STARTED: stepStarted,
  STEP_FINISHED: stepFinished,
  TEXT_MESSAGE_START: (state, event) => putMessage(state, { id: event.messageId, role: event.role, content: "" }),
  TEXT_MESSAGE_CONTENT: (state, event) => append(state, event.messageId, event.delta),
  TEXT_MESSAGE_END: (state, event) => close(state, event.messageId),
  REASONING_START: (state, event) => putMessage(state, { id: event.messageId, role: "reasoning", content: "" }),
  REASONING_MESSAGE_START: (state, event) => putMessage(state, { id: event.messageId, role: "reasoning", content: "" }),
  REASONING_MESSAGE_CONTENT: (state, event) => append(state, event.messageId, event.delta),
  REASONING_MESSAGE_END: (state) => state,
  REASONING_END: (state, event) => close(state, event.messageId),
  TOOL_CALL_START: (state, event) => putMessage(state, emptyCall(event)),
  TOOL_CALL_ARGS: (state, event) => appendArguments(state, event.toolCallId, event.delta),
  TOOL_CALL_END: (state, event) => close(state, `call:${event.toolCallId}`),
  TOOL_CALL_RESULT: toolResult,
  CUSTOM: (state, event) => (CUSTOM[event.name] ?? ((unchanged) => unchanged))(state, event.value, event),
};
