/**
 * Turns as the reducer keeps them: the line of the branch that is shown, and what all of them have used.
 */

/** How a turn stands of which nothing is known. */
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

/** The members of an object that it has, by name. */
export const picked = (from, keys) => Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));

/** The state in which a turn begins. One that does not follow on the last begins a branch: what stood behind its parent is on another. */
export function branched(state, id, { parentRunId, metadata }) {
  const isRoot = metadata && "parent" in metadata;
  if (!isRoot && parentRunId === undefined) return state;
  const at = isRoot ? 0 : state.turns.findIndex((turn) => turn.id === parentRunId) + 1;
  const dropped = state.turns.slice(at);
  if (!dropped.length) return state;
  const gone = new Set(dropped.map((turn) => turn.id));
  const versions = [...(dropped[0].versions ?? [dropped[0].id]), id];
  const messages = state.messages.filter((message) => !gone.has(message.metadata.turn));
  const turns = [...state.turns.slice(0, at), { ...NEW_TURN, id, versions }];
  return { ...state, messages, turns, stale: !isRoot && at === 0 };
}

const COUNTED = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"];

/** The state with a round's tokens added to the conversation's, by model. */
export function counted(state, { model, usage }) {
  if (!model) return state;
  const { rounds = 0, ...before } = state.totals[model] ?? {};
  const sum = COUNTED.map((key) => [key, (before[key] ?? 0) + (usage?.[key] ?? 0)]);
  return { ...state, totals: { ...state.totals, [model]: { ...Object.fromEntries(sum), rounds: rounds + 1 } } };
}
