/**
 * What the transcript shows, as data: a section a turn, a block a message, then what waits to be sent or to start.
 */

import { partsOf as partsOfText } from "../text/thoughts.js";
import { activityKind, answeredBy, callKey, numberSources, textIn } from "./activities.js";

/**
 * The sections of a state, and of the messages that are still on their way.
 * @param {State} state
 * @param {UnsentMessage[]} outgoing
 * @returns {Section[]}
 */
export function sections(state, outgoing) {
  const byTurn = Map.groupBy(state.messages, ({ metadata }) => metadata.turn);
  const turns = state.turns.map((turn) => section(turn, byTurn.get(turn.id) ?? []));
  const nonEmpty = turns.filter(({ turn, parts }) => parts.length || turn.error);
  const last = nonEmpty.at(-1);
  if (state.partial && last) last.goesOn = true; // on a newer page
  if (!state.partial && !state.played) offer(nonEmpty, isIdle(state, outgoing));
  for (const [at, section] of turns.entries()) section.before = turns[at - 1]?.turn.settings;
  const queued = state.queue.map((message) => waitingSection(message, "queued", "edit withdraw"));
  const sending = outgoing.map((message) => waitingSection(message, "sending"));
  return [...nonEmpty, ...queued, ...sending];
}

/**
 * @param {Turn} turn
 * @param {Message[]} messages
 * @returns {Section}
 */
function section(turn, messages) {
  /** @param {Message} message */
  const isSource = (message) => activityKind(message) === "source";
  const { sources, marks } = numberSources(messages.filter(isSource), messages);
  const parts = partsOf(
    turn,
    messages.filter((message) => !isSource(message)),
    marks,
  );
  const last = parts.at(-1);
  if (last && !isBlock(last)) last.isLast = true;
  return { key: `turn:${turn.id}`, turn, parts, sources, blocks: parts.filter(isBlock), offers: "" };
}

/**
 * Whether a part is a block, not the group of an interrupted attempt.
 * @type {(part: Part) => part is Block}
 */
export const isBlock = (part) => "kind" in part;

const UNDER_WAY = ["running", "waiting"];

/**
 * The turn that has not ended, if there is one.
 * @param {State} state
 */
export const turnUnderWay = ({ turns }) => turns.findLast(({ status }) => UNDER_WAY.includes(status));

/**
 * Whether nothing is under way or waits: only then may another branch begin or be shown.
 * @type {(state: State, outgoing: UnsentMessage[]) => boolean}
 */
const isIdle = (state, outgoing) => !turnUnderWay(state) && !state.queue.length && !outgoing.length;

/**
 * @param {Section[]} nonEmpty
 * @param {boolean} idle
 */
function offer(nonEmpty, idle) {
  for (const section of nonEmpty) {
    const { turn, blocks } = section;
    const { versions } = turn;
    const words = [versions && versions.length > 1 && "versions"];
    if (idle) words.push(versions && "switch", questionOf(blocks) !== undefined && "edit");
    if (idle && section === nonEmpty.at(-1)) words.push(...atEnd(section));
    section.offers = words.filter(Boolean).join(" ");
  }
}

/**
 * What may be done about the newest turn's end.
 * @param {Section} section
 */
function atEnd({ turn, blocks }) {
  const failed = turn.status === "failed" || turn.status === "interrupted";
  const { code } = turn.error ?? {};
  const cutShort = code === "stream_cut" && blocks.some(({ kind }) => kind === "assistant");
  const isLimit = code === "round_limit" || code === "max_tokens";
  const goesOn = isLimit || cutShort || (turn.status === "completed" && turn.stopReason === "max_tokens");
  return [goesOn && "continue", questionOf(blocks) !== undefined && (failed ? "again" : "regenerate")];
}

/**
 * The user's text that the blocks answer, if all of it is there.
 * @param {Block[]} blocks
 */
export function questionOf(blocks) {
  const question = blocks.find(({ kind }) => kind === "you")?.message;
  return question && !question.metadata.cut ? textIn(question) : undefined;
}

/**
 * Blocks, those of an interrupted attempt in a group. A tool result or a new round closes the group; a round ends with the results of its calls.
 * @param {Turn} turn
 * @param {Message[]} messages
 * @param {Map<string, number[]>} marks
 */
function partsOf(turn, messages, marks) {
  const results = new Map(messages.map((message) => [answeredBy(message), message]));
  const calls = new Set(messages.map(callKey));
  /** @type {Part[]} */
  const parts = [];
  /** @type {Attempt | null} */
  let attempt = null;
  let [round, answered] = [0, false];
  for (const message of messages) {
    if (message.role === "activity" && answeredBy(message) && calls.has(answeredBy(message))) continue;
    if (message.role !== "tool" && answered) round += 1;
    answered = message.role === "tool" && !message.metadata.interrupted;
    if (!message.metadata.interrupted || message.role === "tool") attempt = null;
    const all = isShown(message) ? spoken(message) : [];
    for (const part of all) {
      const isLast = part === all.at(-1);
      const block = {
        ...blockOf(part, results, turn),
        round,
        marks: isLast ? marks.get(message.id) : undefined,
      };
      if (!message.metadata.interrupted) parts.push(block);
      else attempt = addTo(attempt, block, parts);
    }
  }
  return parts;
}

/**
 * @param {Attempt | null} attempt
 * @param {Block} block
 * @param {Part[]} parts
 */
function addTo(attempt, block, parts) {
  const round = block.kind === "tool" ? "" : block.id.split(":")[1];
  if (attempt && !(attempt.round && round && attempt.round !== round)) {
    attempt.blocks.push(block);
    attempt.round ||= round;
    return attempt;
  }
  const next = { key: `attempt:${block.id}`, round, blocks: [block] };
  parts.push(next);
  return next;
}

/**
 * Whether a message is shown by itself. A result is a part of its call; models also send text blocks with nothing in them.
 * @param {Message} message
 */
const isShown = (message) =>
  message.role !== "tool" &&
  (message.toolCalls ||
    ["reasoning", "activity"].includes(message.role) ||
    textIn(message).trim() !== "" ||
    message.metadata.attachments);

/** @type {WeakMap<Message, Message[]>} */
const spokenAs = new WeakMap(); // the view compares messages with `===`

/**
 * The messages that a message is shown as: a text with thoughts in it as if these were reasoning.
 * @param {Message} message
 */
function spoken(message) {
  if (message.role !== "assistant" || message.toolCalls) return [message];
  const messages = spokenAs.get(message) ?? split(message);
  spokenAs.set(message, messages);
  return messages;
}

/**
 * @param {TextMessage} message
 * @returns {TextMessage[]}
 */
function split(message) {
  const parts = partsOfText(textIn(message), message.metadata.open);
  if (parts.length === 1 && parts[0].text === message.content) return [message];
  const { open: _, ...metadata } = message.metadata;
  const messages = parts.map(({ text, isThought, open }, index) => ({
    ...message,
    id: index ? `${message.id}~${index}` : message.id,
    role: isThought ? /** @type {const} */ ("reasoning") : message.role,
    content: text,
    metadata: open ? message.metadata : metadata,
  }));
  return messages.filter(({ role, content }, index) =>
    role === "reasoning" ? content || parts[index].open : content.trim(),
  );
}

/**
 * @param {Message} message
 * @param {Map<string | undefined, Message>} results
 * @param {Turn} turn
 * @returns {Block}
 */
function blockOf(message, results, turn) {
  const call = callKey(message) ?? answeredBy(message);
  return {
    id: message.id,
    kind: message.toolCalls ? "tool" : (activityKind(message) ?? KINDS[message.role]),
    message,
    result: call ? results.get(call) : undefined,
    ended: turn.status !== "running",
  };
}

/** @type {Record<string, BlockKind>} */
const KINDS = { user: "you", assistant: "assistant", reasoning: "reasoning" };

/**
 * @param {QueuedMessage & {at?: number}} message
 * @param {string} status
 * @returns {Section}
 */
function waitingSection({ id, text, at, attachments }, status, offers = "") {
  /** @type {Message} */
  const message = { id, role: "user", content: text, metadata: attachments ? { attachments } : {} };
  /** @type {Block} */
  const block = { id, kind: "you", message };
  const turn = { status, error: null, at };
  return { key: `waiting:${id}`, turn, parts: [block], sources: [], blocks: [block], offers };
}
