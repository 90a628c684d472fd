/**
 * JSON set out for reading. The text is only spaced anew, never parsed into values and back,
 * which would round long numbers and sort keys that look like numbers.
 */

const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LONGEST = 100_000;
const LINE = 72;
const DEEPEST = 40; // levels that are indented: a hundred thousand brackets would else become gigabytes of blanks

/** True when the text is JSON. */
export function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The JSON text on one line if it is short, else with line breaks and indents; any other text, and a very long one, unchanged. */
export function pretty(text) {
  if (text.length > LONGEST || !isJSON(text)) return text;
  const tokens = text.match(TOKEN);
  const line = tokens.join("").length < LINE && tokens.map((token) => SPACED[token] ?? token).join("");
  return line || tokens.reduce(write, { out: "", depth: 0, last: "" }).out;
}

const SPACED = { ":": ": ", ",": ", " };

function write({ out, depth, last }, token) {
  const closes = token === "}" || token === "]";
  const inner = closes ? depth - 1 : depth;
  const empty = closes && (last === "{" || last === "[");
  const breaks = last && !empty && (closes || "{[,".includes(last));
  const space = breaks ? `\n${"  ".repeat(Math.min(inner, DEEPEST))}` : last === ":" ? " " : "";
  return { out: out + space + token, depth: "{[".includes(token) ? depth + 1 : inner, last: token };
}
