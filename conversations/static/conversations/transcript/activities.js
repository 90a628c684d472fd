/**
 * What a model brings beside text, reasoning and calls, in messages with the role `activity`: pictures, sources, and tools that its
 * provider ran.
 */

/** @type {Record<string, BlockKind>} */
const KINDS = {
  "turntable.image": "picture",
  "turntable.citation": "source",
  "turntable.server_tool": "server",
};

/**
 * The kind of block that an activity is, undefined for a message that is none.
 * @param {Message} message
 */
export const activityKind = ({ activityType }) => KINDS[activityType ?? ""];

/**
 * The text of a message, "" for one that has none.
 * @param {Message} message
 */
export const textIn = ({ content = "" }) => (typeof content === "string" ? content : "");

/** @type {<Member extends keyof ServerTool>(message: Message | undefined, member: Member) => ServerTool[Member]} */
const partOf = (message, member) =>
  message?.role === "activity" ? message.content.server_tool?.[member] : undefined;
/** @param {{toolUseId: string} | undefined} part */
const keyOf = (part) => part && `server:${part.toolUseId}`;

/**
 * The key of the call that a message answers, undefined for another.
 * @param {Message} message
 */
export const answeredBy = (message) =>
  message.role === "tool" ? message.toolCallId : keyOf(partOf(message, "toolResult"));

/**
 * The key of the call that a message is, undefined for another.
 * @param {Message} message
 */
export const callKey = (message) => message.toolCalls?.[0].id ?? keyOf(partOf(message, "toolUse"));

/**
 * A provider's use of a tool in the form of a call, as cards draw it.
 * @param {Block} block
 * @returns {Block}
 */
export function asCall({ id, message, result }) {
  const use = partOf(message, "toolUse");
  const part = partOf(result, "toolResult");
  const name = use?.name ?? part?.type?.replace(/_result$/, "") ?? "";
  const call = { name, arguments: textOf(use?.input ?? "") };
  const metadata = { status: part?.status === "error" ? "error" : "success", ...result?.metadata };
  /** @type {Message | undefined} */
  const answer = result &&
    part && { id: result.id, role: "tool", content: resultText(part.content), metadata };
  return {
    id,
    kind: "server",
    message: {
      ...message,
      toolCalls: [{ id, type: "function", function: call }],
      metadata: message.metadata,
    },
    result: answer,
    ended: !message.metadata.open,
  };
}

/**
 * @param {unknown} value
 * @returns {value is Cut}
 */
const isCut = (value) => typeof value === "object" && value !== null && "cut" in value;

/** @param {unknown} value any JSON, or the beginning of it where that was too long */
function textOf(value) {
  if (isCut(value)) return value.json;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @type {(content: NonNullable<ServerTool["toolResult"]>["content"]) => string} */
const resultText = (content) =>
  Array.isArray(content)
    ? content.map((part) => part.text ?? JSON.stringify(part.json ?? part)).join("\n")
    : textOf(content ?? "");

/**
 * The sources of a turn with their numbers, one that is cited again once; and the numbers that stand at each message.
 * @param {Message[]} citations
 * @param {Message[]} messages
 * @returns {{sources: Source[], marks: Map<string, number[]>}}
 */
export function numberSources(citations, messages) {
  /** @type {Map<string, Source>} */
  const byContent = new Map();
  /** @type {Map<string, number[]>} */
  const marks = new Map();
  for (const message of citations) {
    if (message.role !== "activity") continue;
    const { messageId, citation = {} } = message.content;
    const key = JSON.stringify(citation);
    const source = byContent.get(key) ?? { number: byContent.size + 1, citation, message };
    byContent.set(key, source);
    const at = citedAt(messages, messageId, message) ?? "";
    const numbers = marks.get(at) ?? [];
    if (!numbers.includes(source.number)) marks.set(at, [...numbers, source.number]);
  }
  return { sources: [...byContent.values()], marks };
}

/**
 * The id of the text that a citation stands at: its own, or else the one before it.
 * @param {Message[]} messages
 * @param {string} id
 * @param {Message} citation
 */
function citedAt(messages, id, citation) {
  /** @param {Message} message */
  const isText = (message) => message.role === "assistant" && textIn(message).trim() !== "";
  if (messages.some((message) => message.id === id && isText(message))) return id;
  return messages.slice(0, messages.indexOf(citation)).findLast(isText)?.id;
}
