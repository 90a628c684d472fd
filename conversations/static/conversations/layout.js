/**
 * What the transcript shows, as data: a section a turn, a block a message, then what waits to be sent or to start.
 */

/** Sections `{key, turn, blocks}` of a state and the messages (`{id, text}`) that are still on their way. */
export function sections(state, outgoing) {
  const byTurn = groupBlocks(state);
  const turns = state.turns.map((turn) => ({ key: `turn:${turn.id}`, turn, blocks: byTurn.get(turn.id) ?? [] }));
  const queued = state.queue.map((message) => waiting(message, "queued"));
  const sending = outgoing.map((message) => waiting(message, "sending"));
  return [...turns.filter(({ turn, blocks }) => blocks.length || turn.error), ...queued, ...sending];
}

function groupBlocks(state) {
  const results = new Map(state.messages.map((message) => [message.toolCallId, message]));
  const ended = new Set(state.turns.filter((turn) => turn.status !== "running").map((turn) => turn.id));
  const blocks = state.messages.filter(isShown).map((message) => block(message, results, ended));
  return Map.groupBy(blocks, ({ message }) => message.metadata.turn);
}

// A result is shown in its call; models also send text blocks with nothing in them.
const isShown = (message) =>
  message.role !== "tool" && (message.toolCalls || message.role === "reasoning" || message.content.trim() !== "");

function block(message, results, ended) {
  const call = message.toolCalls?.[0];
  const kind = call ? "tool" : KINDS[message.role];
  return { id: message.id, kind, message, result: call && results.get(call.id), ended: ended.has(message.metadata.turn) };
}

const KINDS = { user: "you", assistant: "assistant", reasoning: "reasoning" };

function waiting({ id, text }, status) {
  const message = { id, role: "user", content: text, metadata: {} };
  return { key: `waiting:${id}`, turn: { status, error: null }, blocks: [{ id, kind: "you", message }] };
}
