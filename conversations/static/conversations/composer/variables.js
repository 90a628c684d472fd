/**
 * The variables of a prompt: `{{name}}` in its text, for which the reader is asked.
 */

const VARIABLE = /\{\{\s*([^{}\s](?:[^{}\n]{0,98}[^{}\s])?)\s*\}\}/g;

/** @param {string} written */
const nameOf = (written) => written.replace(/\s+/g, " ");

/**
 * The names of a text's variables in their order, each once.
 * @param {string} text
 */
export const variablesOf = (text) => [
  ...new Set(Array.from(text.matchAll(VARIABLE), ([, written]) => nameOf(written))),
];

/**
 * The text with values in the place of its variables; what stands in a value is text, whatever it looks like.
 * @param {string} text
 * @param {Record<string, string>} values
 */
export const filled = (text, values) =>
  text.replace(VARIABLE, (whole, written) => values[nameOf(written)] ?? whole);
