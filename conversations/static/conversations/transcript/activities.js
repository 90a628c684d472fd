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

/** @type {(message: Message | undefined, member: string) => any} */
const partOf = (message, member) => message?.content?.server_tool?.[member];
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
  return {
    id,
    kind: "server",
    message: {
      ...message,
      toolCalls: [{ id, type: "function", function: call }],
      metadata: message.metadata,
    },
    result: part && { ...result, content: resultText(part.content), metadata },
    ended: !message.metadata.open,
  };
}

const textOf = (value) =>
  value?.cut ? value.json : typeof value === "string" ? value : JSON.stringify(value);

const resultText = (content) =>
  Array.isArray(content)
    ? content.map((part) => part.text ?? JSON.stringify(part.json ?? part)).join("\n")
    : textOf(content ?? "");

/**
 * The sources of a turn, numbered, a source that is cited again once; and the numbers that stand at each message.
 * @param {Message[]} citations
 * @param {Message[]} messages
 * @returns {{sources: Source[], marks: Map<string, number[]>}}
 */
export function numbered(citations, messages) {
  const byContent = new Map();
  const marks = new Map();
  for (const message of citations) {
    const { messageId, citation = {} } = message.content;
    const key = JSON.stringify(citation);
    if (!byContent.has(key)) byContent.set(key, { number: byContent.size + 1, citation, message });
    const at = citedAt(messages, messageId, message);
    const { number } = byContent.get(key);
    if (!marks.get(at)?.includes(number)) marks.set(at, [...(marks.get(at) ?? []), number]);
  }
  return { sources: [...byContent.values()], marks };
}

// A citation without a text of its own belongs to the one before it.
function citedAt(messages, id, citation) {
  const isText = ({ role, content }) => role === "assistant" && content?.trim();
  if (messages.some((message) => message.id === id && isText(message))) return id;
  return messages.slice(0, messages.indexOf(citation)).findLast(isText)?.id;
}
