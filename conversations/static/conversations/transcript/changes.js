/**
 * Changes of a state's messages, turns and rounds. Each makes a new state; what has not changed keeps its identity.
 */

/**
 * A turn of which nothing is known yet.
 * @type {Omit<Turn, "id">}
 */
export const NEW_TURN = {
  status: "queued",
  error: null,
  stopReason: null,
  steps: 0,
  retrying: null,
  interrupts: [],
  rounds: [],
  startedAt: null,
  endedAt: null,
};

/**
 * The turn that is running, if one is.
 * @param {State} state
 */
export const runningTurn = (state) => state.turns.findLast((turn) => turn.status === "running");

/**
 * @param {State} state
 * @param {string} id
 * @param {(message: Message) => Message} change
 * @returns {State}
 */
export function changeMessage(state, id, change) {
  const index = state.messages.findLastIndex((message) => message.id === id);
  if (index < 0) return state;
  return { ...state, messages: state.messages.with(index, change(state.messages[index])) };
}

/** @type {(message: Message, mark: MessageFigures) => Message} */
export const withMark = (message, mark) => ({ ...message, metadata: { ...message.metadata, ...mark } });

/** @type {(state: State, message: Message) => State} */
export function withMessage(state, message) {
  const index = state.messages.findLastIndex(({ id }) => id === message.id);
  const messages = index < 0 ? [...state.messages, message] : state.messages.with(index, message);
  return { ...state, messages };
}

/**
 * @param {State} state
 * @param {NewMessage} message
 * @param {MessageFigures} figures
 */
export function putMessage(state, message, figures = {}) {
  const open = { ...message, metadata: { turn: runningTurn(state)?.id, open: true, ...figures } };
  const isQueued = state.queue.some(({ id }) => id === message.id);
  const queue = isQueued ? state.queue.filter(({ id }) => id !== message.id) : state.queue;
  return { ...withMessage(state, open), queue };
}

/** @type {(state: State, id: string, delta: string) => State} */
export const append = (state, id, delta) =>
  changeMessage(state, id, (message) =>
    message.role === "activity" ? message : { ...message, content: message.content + delta },
  );

/** @type {(state: State, id: string) => State} */
export const close = (state, id) => changeMessage(state, id, closeMessage);

/** @type {(message: Message) => Message} */
function closeMessage(message) {
  const { open, ...metadata } = message.metadata;
  return open ? { ...message, metadata } : message;
}

/** @type {(state: State, id: string, delta: string) => State} */
export function appendArguments(state, id, delta) {
  return changeMessage(state, `call:${id}`, (message) => {
    const [call] = message.toolCalls ?? [];
    const longer = { ...call.function, arguments: call.function.arguments + delta };
    return { ...message, toolCalls: [{ ...call, function: longer }] };
  });
}

/**
 * @param {State} state
 * @param {string} id
 * @param {Partial<Turn>} changes
 * @returns {State}
 */
export function changeTurn(state, id, changes) {
  const index = state.turns.findLastIndex((turn) => turn.id === id);
  if (index < 0) return { ...state, turns: [...state.turns, { ...NEW_TURN, id, ...changes }] };
  const turn = state.turns[index];
  if (hasAll(turn, changes)) return state;
  return { ...state, turns: state.turns.with(index, { ...turn, ...changes }) };
}

/** @type {(turn: Record<string, unknown>, changes: object) => boolean} */
const hasAll = (turn, changes) => Object.entries(changes).every(([key, value]) => turn[key] === value);

/** @type {(state: State, changes: Partial<Turn>) => State} */
export function changeRunning(state, changes) {
  const turn = runningTurn(state);
  return turn ? changeTurn(state, turn.id, changes) : state;
}

/**
 * Ends the turn: what is still open in it was cut here.
 * @type {(state: State, id: string, changes: Partial<Turn>) => State}
 */
export const endTurn = (state, id, changes) => changeTurn(closeTurn(state, id), id, changes);

/** @type {(state: State, id: string | undefined) => State} */
export function closeTurn(state, id) {
  const messages = state.messages.map((message) =>
    message.metadata.turn === id ? closeMessage(message) : message,
  );
  return { ...state, messages };
}

/**
 * @param {State} state
 * @param {string | undefined} id
 * @param {Partial<Round>} changes
 * @returns {State}
 */
export function changeLastRound(state, id, changes) {
  const turn = state.turns.findLast((one) => one.id === id);
  if (!turn?.rounds?.length) return state;
  const last = { ...turn.rounds[turn.rounds.length - 1], ...changes };
  return changeTurn(state, turn.id, { rounds: turn.rounds.with(-1, last) });
}
