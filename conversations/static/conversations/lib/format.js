/**
 * Times, numbers and foreign texts for a person.
 */

/**
 * How long something took: "12 ms", "1.4 s", "2 min 5 s".
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/**
 * How much time is left: "2 days", "23 h 59 min", "4 min", "20 s".
 * @param {number} ms
 */
export function timeLeft(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

const NUMBER = new Intl.NumberFormat("en");

/** @param {number} number */
export const count = (number) => NUMBER.format(number);

/**
 * "1 round", "2 rounds".
 * @param {number} number
 * @param {string} name
 */
export const quantity = (number, name) => `${count(number)} ${name}${number === 1 ? "" : "s"}`;

/**
 * "12 bytes", "1.5 KB", "24 KB", "3.2 MB": as the server says it too.
 * @param {number} bytes
 */
export function sizeInWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

const CLUSTERS = new Intl.Segmenter();

/**
 * The first `most` characters of a text at most, with no family, flag or accented letter cut apart.
 * @param {string} text
 * @param {number} most
 */
export function beginning(text, most) {
  if (text.length <= most) return text;
  const index = CLUSTERS.segment(text.slice(0, most + 2)).containing(most)?.index;
  return text.slice(0, index || most);
}

// Marks that can make text read in another order than it is (https://trojansource.codes), as characters to be seen.
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;
/** @param {string} mark */
const codePoint = (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`;

/**
 * The text with the characters that reorder it made visible.
 * @param {string} text
 */
export const visible = (text) => text.replace(BIDI, codePoint);
