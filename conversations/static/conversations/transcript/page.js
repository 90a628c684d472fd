/**
 * The page's data beside the transcript: sentences, models, prices.
 */

const page = () => document.getElementById("conversation")?.dataset ?? {};

// The data does not change: it is read at its first use.
function once(read) {
  let value;
  return () => (value ??= read(page()));
}

export const sentences = once(({ sentences: text }) => JSON.parse(text || "{}"));
export const models = once(({ models: text }) => JSON.parse(text || "[]"));
export const names = once(({ names: text }) => JSON.parse(text || "{}"));
export const prices = once(({ prices: text }) => JSON.parse(text || "{}"));
export const currency = once((data) => data.currency || "USD");
export const picturesAddress = once((data) => data.pictures ?? "");
export const replayAddress = once((data) => data.replay ?? "");
