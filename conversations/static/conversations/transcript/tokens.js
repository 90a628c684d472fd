/**
 * Counts of tokens: those that a gateway has reported, or the least that a text has.
 */

import { textIn } from "./activities.js";

/** @type {(keyof Usage)[]} */
const KINDS = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"];

/**
 * Whether a gateway has reported what a round used.
 * @param {Usage | undefined} usage
 */
export const isReported = (usage) => usage?.inputTokens !== undefined || usage?.outputTokens !== undefined;

/**
 * The tokens that texts have at least: one for every four characters.
 * @param {string[]} texts
 */
export function leastTokens(texts) {
  const characters = texts.reduce((sum, text) => sum + Array.from(text).length, 0);
  return characters && Math.max(1, Math.floor(characters / 4));
}

/**
 * What a model wrote in a message.
 * @param {Message} message
 */
export const writtenIn = (message) =>
  message.role === "user" || message.role === "tool"
    ? ""
    : (message.toolCalls?.[0].function.arguments ?? textIn(message));

/** @typedef {(usage: Usage | undefined) => number} Count */

/**
 * All tokens of a usage, those of the cache too.
 * @type {Count}
 */
export const tokensOf = (usage) => readOf(usage) + (usage?.outputTokens ?? 0);

/**
 * The tokens that were read: new ones, and those from and for the cache.
 * @type {Count}
 */
export const readOf = (usage) => (usage?.inputTokens ?? 0) + cachedOf(usage) + cachedAnewOf(usage);

/**
 * The tokens that came from the cache.
 * @type {Count}
 */
export const cachedOf = (usage) => usage?.cacheReadInputTokens ?? 0;

/**
 * The tokens that were put into the cache.
 * @type {Count}
 */
export const cachedAnewOf = (usage) => usage?.cacheWriteInputTokens ?? 0;

/**
 * The totals with those of one more round, under its model.
 * @param {State["totals"]} totals
 * @param {{model?: string, usage?: Usage}} round
 * @param {string[]} texts what was written in it
 */
export function sumOf(totals, { model, usage }, texts) {
  if (!model) return totals;
  const { rounds = 0, unreported = 0, ...before } = totals[model] ?? {};
  const least = isReported(usage) ? 0 : leastTokens(texts);
  /** @type {Usage} */
  const counts = least ? { outputTokens: least } : (usage ?? {});
  const sum = KINDS.map((key) => [key, (before[key] ?? 0) + (counts[key] ?? 0)]);
  const all = { ...Object.fromEntries(sum), rounds: rounds + 1 };
  if (unreported || least) all.unreported = unreported + (least ? 1 : 0);
  return { ...totals, [model]: all };
}
