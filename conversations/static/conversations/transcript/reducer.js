/**
 * What a conversation looks like after an AG-UI event: `reduce(state, event) -> state`, pure.
 *
 * Messages have the shape that MESSAGES_SNAPSHOT gives them, so that a snapshot and the events before it come to the same.
 * What has not changed keeps its identity: the view compares with `===`.
 */
import {
  append,
  appendArguments,
  changeLastRound,
  changeMessage,
  changeRunning,
  changeTurn,
  close,
  closeTurn,
  endTurn,
  NEW_TURN,
  putMessage,
  runningTurn,
  withMark,
  withMessage,
} from "./changes.js";
import { sumOf, writtenIn } from "./tokens.js";

/** @type {State} */
export const EMPTY = { cursor: 0, title: null, before: null, messages: [], turns: [], queue: [], totals: {} };

/**
 * The place of an event: "next", "old" (applied already), "gap" (events are missing before it) or "aside" (not in the record).
 * @param {State} state
 * @param {AguiEvent} event
 */
export function position(state, event) {
  const seq = event.metadata?.seq;
  if (event.type === "MESSAGES_SNAPSHOT" || seq === undefined) return "aside";
  if (seq === state.cursor + 1) return "next";
  return seq > state.cursor ? "gap" : "old";
}

/**
 * The state after the event; the same state when the event is old or comes after a gap.
 * @param {State} state
 * @param {AguiEvent} event
 * @returns {State}
 */
export function reduce(state, event) {
  const at = position(state, event);
  if (at === "old" || at === "gap") return state;
  /** @type {(state: State, event: any) => State} */
  const handle = HANDLERS[event.type] ?? ((unchanged) => unchanged);
  if (at === "aside") return handle(state, event);
  const calm = runningTurn(state)?.retrying ? changeRunning(state, { retrying: null }) : state;
  return { ...handle(calm, event), cursor: event.metadata?.seq ?? state.cursor };
}

/**
 * Puts an older page of the transcript before the newer one.
 * @param {State} state
 * @param {State} older
 * @returns {State}
 */
export function prepend(state, older) {
  const messages = union(older.messages, state.messages);
  return { ...state, before: older.before, messages, turns: union(older.turns, state.turns) };
}

/**
 * @template {{id: string}} Kind
 * @param {Kind[]} older
 * @param {Kind[]} newer
 */
function union(older, newer) {
  const known = new Set(newer.map(({ id }) => id));
  return [...older.filter(({ id }) => !known.has(id)), ...newer];
}

/**
 * The name of a call that is in the transcript.
 * @param {State} state
 * @param {string} id
 */
export const callName = (state, id) =>
  state.messages.find((message) => message.id === `call:${id}`)?.toolCalls?.[0].function.name;

/** @param {{runId: string}} event */
const turnOf = (event) => event.runId.split(":")[0]; // a run after an approval is TURN:2

/**
 * A message that is open until its round ends: a picture can be fetched only then.
 * @type {(state: State, content: Activity, event: Custom) => State}
 */
function putActivity(state, content, { name: activityType }) {
  return putMessage(state, {
    id: activityId(state, content, activityType),
    role: "activity",
    activityType,
    content,
  });
}

/**
 * A citation has the id of its text.
 * @type {(state: State, content: Activity, name: string) => string}
 */
function activityId({ messages }, { messageId }, name) {
  if (name !== "turntable.citation") return messageId;
  return `${messageId}:citation:${messages.filter(({ id }) => id.startsWith(`${messageId}:`)).length}`;
}

/** @type {Reducer<RunStarted>} */
function runStarted(state, event) {
  const id = turnOf(event);
  const at = event.timestamp ?? null;
  const turn = state.turns.find((one) => one.id === id);
  const settings = event.metadata?.settings && { settings: event.metadata.settings };
  if (!turn)
    return changeTurn(onBranch(state, id, event), id, { status: "running", startedAt: at, ...settings });
  const changes = {
    ...settings,
    status: "running",
    interrupts: [],
    endedAt: null,
    ...(turn.rounds.length ? {} : { startedAt: at }),
  };
  return changeTurn(changeLastRound(state, id, { calledAt: at }), id, changes);
}

/** @type {(keyof Interrupt)[]} */
const INTERRUPT = ["id", "message", "toolCallId", "expiresAt", "metadata"];
/** @type {(keyof Interrupt)[]} */
const QUESTION = [...INTERRUPT, "reason", "responseSchema"]; // of a call that asks something
/** @type {Record<string, string>} */
const OUTCOMES = { cancelled: "stopped", interrupt: "waiting" };

/** @type {Reducer<RunFinished>} */
function runFinished(state, event) {
  const { type, interrupts: all = [] } = event.outcome ?? {};
  const interrupts = all.map((one) => pick(one, one.reason === "input_required" ? QUESTION : INTERRUPT));
  return endTurn(state, turnOf(event), {
    status: OUTCOMES[type ?? ""] ?? "completed",
    interrupts,
    endedAt: event.timestamp ?? null,
  });
}

/** @type {Reducer<RunError>} */
function runError(before, { code, message, metadata, timestamp }) {
  const turn = runningTurn(before);
  const state = metadata?.leftOut ? leaveOut(before, turn?.id) : before;
  const status = code === "interrupted" ? "interrupted" : "failed";
  const error = { code, message, ...pick(metadata ?? {}, ["requestId"]) };
  return turn ? endTurn(state, turn.id, { status, error, endedAt: timestamp ?? null }) : state;
}

/**
 * Marks the question, which was refused itself: later requests are without it.
 * @type {(state: State, turn: string | undefined) => State}
 */
function leaveOut(state, turn) {
  /** @param {Message} message */
  const mark = (message) =>
    message.role === "user" && message.metadata.turn === turn
      ? withMark(message, { leftOut: true })
      : message;
  return { ...state, messages: state.messages.map(mark) };
}

/** @type {Reducer<ToolCallResult>} */
function toolResult(state, event) {
  const { messageId: id, toolCallId, content } = event;
  const { seq, ...figures } = event.metadata;
  const error =
    figures.status === "error" ? { error: Array.from(content.slice(0, 400)).slice(0, 200).join("") } : {};
  const call = state.messages.findLast((message) => message.id === `call:${toolCallId}`);
  const interrupted = call?.metadata.interrupted ? { interrupted: true } : {};
  const metadata = { turn: runningTurn(state)?.id, ...figures, ...interrupted };
  return withMessage(state, { id, role: "tool", toolCallId, content, ...error, metadata });
}

/**
 * @param {ToolCallStart} event
 * @returns {NewMessage}
 */
const emptyCall = (event) => ({
  id: `call:${event.toolCallId}`,
  role: "assistant",
  toolCalls: [
    { id: event.toolCallId, type: "function", function: { name: event.toolCallName, arguments: "" } },
  ],
});

/** @type {Reducer<StepStarted>} */
function stepStarted(state, { stepName, timestamp = null }) {
  const { steps = 0, rounds = [] } = runningTurn(state) ?? {};
  return changeRunning(state, {
    steps: steps + 1,
    rounds: [...rounds, { name: stepName, startedAt: timestamp }],
  });
}

/** @type {(keyof RoundEnd)[]} */
const FIGURES = ["stopReason", "usage", "latencyMs", "firstTokenMs", "model", "damaged", "interrupted"];

/** @type {Reducer<StepFinished>} */
function stepFinished(state, { metadata, timestamp = null }) {
  const closed = closeTurn(state, runningTurn(state)?.id);
  const texts = closed.messages.slice(stepBegin(closed)).map(writtenIn);
  const marked = metadata.interrupted ? markInterrupted(closed) : closed;
  const changed = changeRunning(marked, pick(metadata, ["stopReason", "model", "usage"]));
  const end = { ...pick(metadata, FIGURES), endedAt: timestamp, calledAt: timestamp };
  const totals = sumOf(state.totals, metadata, texts);
  return { ...changeLastRound(changed, runningTurn(state)?.id, end), totals };
}

/**
 * Where the messages of the step begin: behind the question, the last result or an earlier interrupted attempt.
 * @param {State} state
 */
function stepBegin(state) {
  const turn = runningTurn(state)?.id;
  /** @param {Message} message */
  const isBefore = ({ role, metadata }) =>
    role === "user" || role === "tool" || metadata.interrupted || metadata.turn !== turn;
  return state.messages.findLastIndex(isBefore) + 1;
}

/** @param {State} state */
function markInterrupted(state) {
  const from = stepBegin(state);
  /** @param {Message} message */
  const mark = (message) => withMark(message, { interrupted: true });
  return { ...state, messages: [...state.messages.slice(0, from), ...state.messages.slice(from).map(mark)] };
}

/** @type {Reducer<MessagesSnapshot>} */
function snapshot(state, event) {
  const { seq, before = null, turns = [], queue = [], totals = state.totals } = event.metadata;
  return {
    ...state,
    cursor: seq,
    before,
    messages: event.messages,
    turns,
    queue,
    totals,
    stale: false,
  };
}

/** @type {(state: State, value: {interrupts: string[]}) => State} */
function markDecided(state, { interrupts }) {
  const turn = state.turns.findLast(({ status }) => status === "waiting");
  /** @param {Interrupt} one */
  const mark = (one) => (interrupts.includes(one.id) && !one.decided ? { ...one, decided: true } : one);
  return turn ? changeTurn(state, turn.id, { interrupts: turn.interrupts.map(mark) }) : state;
}

/** @type {(state: State, value: {toolCallId: string}, mark: MessageFigures) => State} */
const markCall = (state, { toolCallId }, mark) =>
  changeMessage(state, `call:${toolCallId}`, (call) => withMark(call, mark));

/** @type {{[Name in keyof CustomValues]?: (state: State, value: CustomValues[Name], event: CustomOf<Name>) => State}} */
const CUSTOM = {
  "turntable.conversation": (state, { title }) => (title === undefined ? state : { ...state, title }),
  "turntable.retrying": (state, value, { timestamp = null }) =>
    changeRunning(state, { retrying: { ...value, at: timestamp } }),
  "turntable.adjusted": (state, { what, why }) =>
    changeRunning(state, { adjusted: [...(runningTurn(state)?.adjusted ?? []), { what, why }] }),
  "turntable.approval": (state, value) => markCall(state, value, { approval: value }),
  "turntable.progress": (state, value) => markCall(state, value, { progress: value }),
  "turntable.image": putActivity,
  "turntable.citation": putActivity,
  "turntable.server_tool": putActivity,
  "turntable.decided": markDecided,
  "turntable.queued": (state, queue) => ({ ...state, queue }),
  "turntable.draft": (state, { text }) => ({ ...state, draft: text }),
};

/** @type {{[Type in AguiEvent["type"]]: (state: State, event: Extract<AguiEvent, {type: Type}>) => State}} */
const HANDLERS = {
  MESSAGES_SNAPSHOT: snapshot,
  RUN_STARTED: runStarted,
  RUN_FINISHED: runFinished,
  RUN_ERROR: runError,
  STEP_STARTED: stepStarted,
  STEP_FINISHED: stepFinished,
  TEXT_MESSAGE_START: (state, { messageId: id, role, metadata }) =>
    putMessage(state, { id, role, content: "" }, pick(metadata ?? {}, ["attachments"])),
  TEXT_MESSAGE_CONTENT: (state, event) => append(state, event.messageId, event.delta),
  TEXT_MESSAGE_END: (state, event) => close(state, event.messageId),
  REASONING_START: (state, event) =>
    putMessage(state, { id: event.messageId, role: "reasoning", content: "" }),
  REASONING_MESSAGE_START: (state, event) =>
    putMessage(state, { id: event.messageId, role: "reasoning", content: "" }),
  REASONING_MESSAGE_CONTENT: (state, event) => append(state, event.messageId, event.delta),
  REASONING_MESSAGE_END: (state) => state,
  REASONING_END: (state, event) => close(state, event.messageId),
  TOOL_CALL_START: (state, event) => (event.metadata?.repeated ? state : putMessage(state, emptyCall(event))),
  TOOL_CALL_ARGS: (state, event) => appendArguments(state, event.toolCallId, event.delta),
  TOOL_CALL_END: (state, event) => close(state, `call:${event.toolCallId}`),
  TOOL_CALL_RESULT: toolResult,
  CUSTOM: custom,
};

/** @type {Reducer<Custom>} */
function custom(state, event) {
  /** @type {((state: State, value: any, event: any) => State) | undefined} */
  const change = CUSTOM[event.name];
  return change?.(state, event.value, event) ?? state;
}

/**
 * Those of the members that the object has.
 * @type {<Kind extends object, Key extends keyof Kind>(from: Kind, keys: Key[]) => Pick<Kind, Key>}
 */
const pick = (from, keys) =>
  /** @type {any} */ (Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]])));

/**
 * The state in which a turn begins. One that does not follow on the last begins a branch, without what stood behind its parent.
 * @param {State} state
 * @param {string} id
 * @param {RunStarted} event
 * @returns {State}
 */
function onBranch(state, id, { parentRunId, metadata }) {
  const isRoot = metadata && "parent" in metadata;
  if (!isRoot && parentRunId === undefined) return state;
  const at = isRoot ? 0 : state.turns.findIndex((turn) => turn.id === parentRunId) + 1;
  const others = state.turns.slice(at);
  if (!others.length) return state;
  const ids = new Set(others.map((turn) => turn.id));
  const versions = [...(others[0].versions ?? [others[0].id]), id];
  const messages = state.messages.filter((message) => !ids.has(message.metadata.turn ?? ""));
  const turns = [...state.turns.slice(0, at), { ...NEW_TURN, id, versions }];
  return { ...state, messages, turns, stale: !isRoot && at === 0 };
}
