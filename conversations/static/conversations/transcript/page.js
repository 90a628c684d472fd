/**
 * The page's data beside the transcript: sentences, models, prices.
 */

const page = () => document.getElementById("conversation")?.dataset ?? {};

/**
 * Reads a part of the page's data at its first use; it does not change.
 * @template Value
 * @param {(data: DOMStringMap) => Value} read
 */
function once(read) {
  /** @type {Value | undefined} */
  let value;
  return () => (value ??= read(page()));
}

/** @typedef {Record<string, string>} Words */
/** @typedef {{input: number, output: number, cacheRead?: number, cacheWrite?: number}} Price */

/** @type {() => Record<"turn" | "stopReason" | "retrying" | "failed" | "quote", Words>} */
export const sentences = once(({ sentences: text }) => JSON.parse(text || "{}"));
/** @type {() => string[]} */
export const models = once(({ models: text }) => JSON.parse(text || "[]"));
/** @type {() => Words} */
export const names = once(({ names: text }) => JSON.parse(text || "{}"));
/** @type {() => Record<string, Price>} */
export const prices = once(({ prices: text }) => JSON.parse(text || "{}"));
export const currency = once((data) => data.currency || "USD");
export const picturesAddress = once((data) => data.pictures ?? "");
export const replayAddress = once((data) => data.replay ?? "");
