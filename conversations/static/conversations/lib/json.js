/**
 * JSON set out for reading. The text is only taken apart or spaced anew, never parsed into values and back,
 * which would round long numbers and sort keys that look like numbers.
 */

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LONGEST = 100_000;
const LONGEST_TREE = 1_000_000;
const LINE = 72;
const DEEPEST = 40; // levels that are indented: a hundred thousand brackets would else become gigabytes of blanks

/**
 * True when the text is JSON.
 * @param {string} text
 */
export function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The JSON text on one line if it is short, else with line breaks and indents; any other text, and a very long one, unchanged.
 * @param {string} text
 */
export function pretty(text) {
  if (text.length > LONGEST || !isJSON(text)) return text;
  const tokens = text.match(TOKEN) ?? [];
  const line = tokens.join("").length < LINE && tokens.map((token) => SPACED[token] ?? token).join("");
  return line || tokens.reduce(write, { out: "", depth: 0, last: "" }).out;
}

/** @type {Record<string, string>} */
const SPACED = { ":": ": ", ",": ", " };

/**
 * @param {{out: string, depth: number, last: string}} written
 * @param {string} token
 */
function write({ out, depth, last }, token) {
  const closes = token === "}" || token === "]";
  const inner = closes ? depth - 1 : depth;
  const empty = closes && (last === "{" || last === "[");
  const breaks = last && !empty && (closes || "{[,".includes(last));
  const space = breaks ? `\n${"  ".repeat(Math.min(inner, DEEPEST))}` : last === ":" ? " " : "";
  return { out: out + space + token, depth: "{[".includes(token) ? depth + 1 : inner, last: token };
}

/**
 * The JSON text as nodes `{kind, text}`, an object's and an array's with `entries` `[key, node]` in their order, keys that come twice too;
 * null for any other text and a very long one.
 * @param {string} text
 * @returns {JSONNode | null}
 */
export function parseNodes(text) {
  if (text.length > LONGEST_TREE || !isJSON(text)) return null;
  /** @type {OpenNode} */
  const root = { kind: "array", text: "", entries: [] };
  const path = [root];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "}" || token === "]") path.pop();
    else if (token !== "," && token !== ":") take(path, token);
  }
  return root.entries[0][1];
}

/**
 * A node that has not been closed yet; in an object every other token is a key.
 * @typedef {JSONTree & {key?: string}} OpenNode
 */

/**
 * @param {OpenNode[]} path
 * @param {string} token
 */
function take(path, token) {
  const into = path[path.length - 1];
  if (into.kind === "object" && into.key === undefined) {
    into.key = JSON.parse(token);
    return;
  }
  const node = { kind: KINDS[token[0]] ?? "number", text: token };
  into.entries.push([into.key ?? into.entries.length, node]);
  into.key = undefined;
  if (node.kind === "object" || node.kind === "array") path.push(Object.assign(node, { entries: [] }));
}

/** @type {Record<string, string>} */
const KINDS = { "{": "object", "[": "array", '"': "string", t: "literal", f: "literal", n: "literal" };

/**
 * The text's value, for sending: numbers keep their digits where the browser can keep them. Throws what JSON.parse throws.
 * @param {string} text
 */
export function exact(text) {
  const { rawJSON } = JSON;
  if (!rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && context?.source && String(value) !== context.source
      ? rawJSON(context.source)
      : value,
  );
}
