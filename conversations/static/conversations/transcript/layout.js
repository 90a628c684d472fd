/**
 * What the transcript shows, as data: a section a turn, a block a message, then what waits to be sent or to start.
 */

/**
 * Sections `{key, turn, parts, blocks, offers}` of a state and the messages (`{id, text, at}`) that are still on their way. `offers` names
 * what may be done, as words: continue again regenerate edit versions switch withdraw.
 */
export function sections(state, outgoing) {
  const byTurn = Map.groupBy(state.messages, ({ metadata }) => metadata.turn);
  const turns = state.turns.map((turn) => section(turn, byTurn.get(turn.id) ?? []));
  const shown = turns.filter(({ turn, parts }) => parts.length || turn.error);
  if (state.partial && shown.length) shown.at(-1).goesOn = true; // on a newer page
  if (!state.partial && !state.played) offer(shown, isIdle(state, outgoing));
  const queued = state.queue.map((message) => waiting(message, "queued", "edit withdraw"));
  const sending = outgoing.map((message) => waiting(message, "sending"));
  return [...shown, ...queued, ...sending];
}

function section(turn, messages) {
  const parts = partsOf(turn, messages);
  const last = parts.at(-1);
  if (last?.blocks) last.isLast = true;
  return { key: `turn:${turn.id}`, turn, parts, blocks: parts.filter(({ kind }) => kind), offers: "" };
}

const UNDER_WAY = ["running", "waiting"];

/** The turn that has not ended, if there is one. */
export const turnUnderWay = ({ turns }) => turns.findLast(({ status }) => UNDER_WAY.includes(status));

// Only then another branch can be begun or shown.
const isIdle = (state, outgoing) => !turnUnderWay(state) && !state.queue.length && !outgoing.length;

function offer(shown, idle) {
  for (const each of shown) {
    const { turn, blocks } = each;
    const told = [turn.versions?.length > 1 && "versions"];
    if (idle) told.push(turn.versions && "switch", questionOf(blocks) && "edit");
    if (idle && each === shown.at(-1)) told.push(...atEnd(each));
    each.offers = told.filter(Boolean).join(" ");
  }
}

// What may be done about the newest turn's end.
function atEnd({ turn, blocks }) {
  const failed = turn.status === "failed" || turn.status === "interrupted";
  const { code } = turn.error ?? {};
  const cutShort = code === "stream_cut" && blocks.some(({ kind }) => kind === "assistant");
  const goesOn =
    code === "round_limit" || cutShort || (turn.status === "completed" && turn.stopReason === "max_tokens");
  return [goesOn && "continue", questionOf(blocks) && (failed ? "again" : "regenerate")];
}

/** The user's text that the blocks answer, if all of it is there. */
export function questionOf(blocks) {
  const question = blocks.find(({ kind }) => kind === "you")?.message;
  return question && !question.metadata.cut ? question.content : undefined;
}

// An attempt ends at the results of its calls, or where the ids of another begin. Behind the results of a round's calls the next begins.
function partsOf(turn, messages) {
  const results = new Map(messages.map((message) => [message.toolCallId, message]));
  const parts = [];
  let attempt = null;
  let [round, answered] = [0, false];
  for (const message of messages) {
    if (message.role !== "tool" && answered) round += 1;
    answered = message.role === "tool" && !message.metadata.interrupted;
    if (!message.metadata.interrupted || message.role === "tool") attempt = null;
    if (!isShown(message)) continue;
    const block = { ...blockOf(message, results, turn), round };
    if (!message.metadata.interrupted) parts.push(block);
    else attempt = addTo(attempt, block, parts);
  }
  return parts;
}

function addTo(attempt, block, parts) {
  const round = block.kind === "tool" ? "" : block.id.split(":")[1];
  if (attempt && !(attempt.round && round && attempt.round !== round)) {
    attempt.blocks.push(block);
    attempt.round ||= round;
    return attempt;
  }
  parts.push({ key: `attempt:${block.id}`, round, blocks: [block] });
  return parts.at(-1);
}

// A result is shown in its call; models also send text blocks with nothing in them.
const isShown = (message) =>
  message.role !== "tool" &&
  (message.toolCalls || message.role === "reasoning" || message.content.trim() !== "");

function blockOf(message, results, turn) {
  const call = message.toolCalls?.[0];
  const kind = call ? "tool" : KINDS[message.role];
  return {
    id: message.id,
    kind,
    message,
    result: call && results.get(call.id),
    ended: turn.status !== "running",
  };
}

const KINDS = { user: "you", assistant: "assistant", reasoning: "reasoning" };

function waiting({ id, text, at }, status, offers = "") {
  const message = { id, role: "user", content: text, metadata: {} };
  const block = { id, kind: "you", message };
  return { key: `waiting:${id}`, turn: { status, error: null, at }, parts: [block], blocks: [block], offers };
}
