/**
 * What the page was given beside the transcript: its sentences, and the models with their prices.
 */

const page = () => document.getElementById("conversation")?.dataset ?? {};

// The page does not change: each is read at its first use.
function once(read) {
  let value;
  return () => (value ??= read(page()));
}

export const sentences = once(({ sentences: text }) => JSON.parse(text || "{}"));
export const models = once(({ models: text }) => JSON.parse(text || "[]"));
export const prices = once(({ prices: text }) => JSON.parse(text || "{}"));
export const currency = once((data) => data.currency || "USD");
export const replayAddress = once((data) => data.replay ?? "");
