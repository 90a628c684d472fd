/**
 * What tokens cost, by the page's prices per million tokens. A sum with an unknown price is unknown.
 */
import { quantity } from "../lib/format.js";
import { currency, prices } from "./page.js";
import { tokensOf } from "./tokens.js";

/**
 * What a usage cost with a model, null where that has no price.
 * @param {string | undefined} model
 * @param {Usage | undefined} usage
 */
export function costOf(model, usage) {
  const price = prices()[model ?? ""];
  if (!price || !usage) return null;
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  const cached = cacheRead * cacheReadInputTokens + cacheWrite * cacheWriteInputTokens;
  return (input * inputTokens + output * outputTokens + cached) / 1_000_000;
}

/**
 * A sum of costs, null where one of them is not known.
 * @param {(number | null)[]} costs
 */
export const sumOf = (costs) =>
  costs.length && costs.every((cost) => cost !== null) ? costs.reduce((sum, cost) => sum + cost, 0) : null;

/**
 * An amount for a person: cents, and below ten of them two digits that say something.
 * @param {number} amount
 */
export function money(amount) {
  const digits = amount === 0 || amount >= 0.1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(amount)));
  /** @type {Intl.NumberFormatOptions} */
  const style = {
    style: "currency",
    currency: currency(),
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  };
  return new Intl.NumberFormat("en", style).format(amount);
}

/**
 * What all of a conversation has used, by model, in words.
 * @param {Totals} totals
 */
export function totalsInWords(totals) {
  const models = Object.entries(totals);
  const tokens = models.reduce((sum, [, usage]) => sum + tokensOf(usage), 0);
  const cost = sumOf(models.map(([model, usage]) => costOf(model, usage)));
  const least = models.some(([, { unreported }]) => unreported) ? "at least " : "";
  return [tokens && least + quantity(tokens, "token"), cost && least + money(cost)]
    .filter(Boolean)
    .join(", ");
}
