/**
 * What the scripts make of inputs that the server has made something of too: JSON lines `[name, ...inputs]` in, a JSON line each out.
 */
import "./browser.js";
import { createInterface } from "node:readline";
import { opensItself, stateOf } from "../../conversations/static/conversations/cards/states.js";
import { summaryOf } from "../../conversations/static/conversations/cards/summary.js";
import { LONGEST } from "../../conversations/static/conversations/composer/drafts.js";
import { problemOf } from "../../conversations/static/conversations/composer/rules.js";
import {
  EMPTY as EMPTY_FILE,
  LARGEST,
  TOO_LARGE,
} from "../../conversations/static/conversations/composer/uploading.js";
import { sizeInWords, visible } from "../../conversations/static/conversations/lib/format.js";
import { momentsOf } from "../../conversations/static/conversations/player/moments.js";
import { endOf } from "../../conversations/static/conversations/text/pieces.js";
import { partsOf } from "../../conversations/static/conversations/text/thoughts.js";
import { asCall } from "../../conversations/static/conversations/transcript/activities.js";
import { notice } from "../../conversations/static/conversations/transcript/foot.js";
import { isBlock, sections } from "../../conversations/static/conversations/transcript/layout.js";
import { EMPTY } from "../../conversations/static/conversations/transcript/reducer.js";
import { leastTokens } from "../../conversations/static/conversations/transcript/tokens.js";

const TWINS = {
  sentences: (sentences) => {
    globalThis.document.getElementById = () => ({ dataset: { sentences: JSON.stringify(sentences) } });
    return null;
  },
  visible,
  sizeInWords,
  problemOf,
  limits: () => [LONGEST, LARGEST, TOO_LARGE, EMPTY_FILE],
  serverTool: (message) => {
    const { message: call, result } = asCall({ id: "b", kind: "server", message, result: message });
    const [{ function: use }] = call.toolCalls ?? [];
    return [use.name, use.arguments, result?.content ?? ""];
  },
  opens: (message, result) =>
    opensItself(stateOf({ id: "b", kind: "tool", message, result, ended: true }), result),
  summary: summaryOf,
  notice,
  thoughts: (text, open) => partsOf(text, open).map((part) => [part.text, part.isThought, part.open]),
  pieces: (text) => {
    const pieces = [];
    for (let at = 0; at < text.length; at = endOf(text, at)) pieces.push(text.slice(at, endOf(text, at)));
    return pieces;
  },
  parts: (messages, turns) =>
    sections({ ...EMPTY, messages, turns }, []).map(({ key, parts }) => [key, parts.map(nameOf)]),
  leastTokens: (text) => leastTokens([text]),
  moments: (lines) => momentsOf(lines.join("\n"), 0).map(({ at, event }) => [at, event.delta]),
};

const nameOf = (part) =>
  isBlock(part) ? part.id : [part.key, part.blocks.map(({ id }) => id), Boolean(part.isLast)];

createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, ...inputs] = JSON.parse(line);
  console.log(JSON.stringify(TWINS[name](...inputs)));
});
