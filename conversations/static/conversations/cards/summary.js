/**
 * A call's arguments in one line, as web/summaries.py has them too: values that stand alone first, then what holds others.
 */
import { visible } from "../lib/format.js";
import { parseNodes } from "../lib/json.js";
import { hasEntries, textOf } from "./entries.js";

const LONGEST = 20_000; // characters of JSON that are read for it
const LINE = 120; // characters as a reader counts them
const VALUE = 60;
const HIDDEN = "••••";
const PASSWORD = /:\/\/[^/ @]+@/g; // and its user, in an address
const NAMES =
  "pass(?:word|wd|phrase|code)?|pwd|secrets?|token|pin|otp|authorization|cookies?|credentials?|(?:api|private|access|secret)[^a-z]?keys?";
const SECRET = new RegExp(`(?:^|[^a-z])(?:${NAMES})(?:[^a-z]|$)`);
const WRITTEN = new RegExp(`(?:${NAMES})["']?[ \\t\\r\\n]*[:=]`, "i");

const CLUSTERS = new Intl.Segmenter();

/**
 * The line: `name: value, name: value`; of what is no JSON object, the beginning as it is.
 * @param {string} text
 */
export function summaryOf(text) {
  const node = text.length <= LONGEST && /^\s*\{/.test(text) ? parseNodes(text) : null;
  if (!node?.entries) return visibleText(cut(unparsed(text), LINE));
  /** @type {(entry: JSONEntry) => boolean} */
  const isSingle = ([, value]) => !hasEntries(value);
  const entries = [...node.entries.filter(isSingle), ...node.entries.filter((entry) => !isSingle(entry))];
  return visibleText(
    cut(entries.map(([name, value]) => `${name}: ${wordFor(name, value)}`).join(", "), LINE),
  );
}

/** @param {string} text */
const visibleText = (text) => visible(text.toWellFormed());

/**
 * The beginning of half a call, or of a broken one, without what follows the name of a secret.
 * @param {string} text
 */
function unparsed(text) {
  const start = text.slice(0, LONGEST);
  const match = WRITTEN.exec(start);
  return match ? `${start.slice(0, match.index + match[0].length)} ${HIDDEN}` : start;
}

/**
 * @param {JSONKey} name
 * @param {JSONNode} node
 */
function wordFor(name, node) {
  if (isSecret(String(name))) return HIDDEN;
  return cut(hasEntries(node) ? gist(node) : line(node), VALUE);
}

/** @param {JSONTree} node */
function gist({ kind, entries }) {
  const isFlat = kind === "array" && entries.every(([, one]) => !hasEntries(one));
  if (isFlat) return `[${entries.map(([, one]) => line(one)).join(", ")}]`;
  const { length } = entries;
  const word = kind === "array" ? "item" : "value";
  return `${length} ${word}${length === 1 ? "" : "s"}`;
}

/** @param {JSONNode} node */
const line = (node) =>
  (node.kind === "string" ? JSON.parse(node.text) : textOf(node))
    .replace(/[ \t\r\n]+/g, " ")
    .replace(PASSWORD, `://${HIDDEN}@`);

/**
 * Whether the value with this name is a secret.
 * @param {string} name
 */
const isSecret = (name) => SECRET.test(name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase());

/**
 * The first `most` characters, as a reader counts them, with an ellipsis where there are more.
 * @param {string} text
 * @param {number} most
 */
function cut(text, most) {
  if (text.length <= most) return text;
  let [end, number] = [0, 0];
  for (const { index } of CLUSTERS.segment(text)) {
    if (number === most) return `${text.slice(0, end)}…`;
    if (number === most - 1) end = index;
    number += 1;
  }
  return text;
}
