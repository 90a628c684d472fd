/**
 * What a turn's model was asked with: a quiet line below a turn where it differs from the turn before, and all of it with its figures.
 */
import { create, setText } from "../lib/dom.js";
import { count, visible } from "../lib/format.js";
import { models, names } from "./page.js";

/**
 * The settings in words, what is not set left out.
 * @param {Settings} settings
 */
export function inWords({ model, inference = {}, reasoning, toolsOff, instructions }) {
  const { temperature, topP, maxTokens, stopSequences } = inference;
  const words = [
    model && (names()[model] ?? model),
    temperature !== undefined && `temperature ${temperature}`,
    topP !== undefined && `topP ${topP}`,
    maxTokens !== undefined && `at most ${count(maxTokens)} tokens`,
    stopSequences && `${stopSequences.length === 1 ? "a stop sequence" : "stop sequences"}`,
    reasoning && `up to ${count(reasoning)} tokens of reasoning`,
    toolsOff && `without ${toolsOff.join(", ")}`,
    instructions && `instructions “${instructions}”`,
  ];
  return visible(words.filter(Boolean).join(" · "));
}

/**
 * Whether there is something to tell: a change, or at first more than the only model there is.
 * @param {Section} section
 */
export function hasNews({ turn: { settings }, before }) {
  if (!settings) return false;
  if (before) return JSON.stringify(settings) !== JSON.stringify(before);
  return models().length > 1 || Object.keys(settings).length > 1;
}

/**
 * Brings the line in line with the turn.
 * @param {HTMLElement} foot
 * @param {Section} section
 */
export function drawSettings(foot, section) {
  const old = foot.querySelector(".in-force");
  if (!hasNews(section)) return void old?.remove();
  const line = old ?? create("p", "in-force");
  const actions = foot.querySelector(".actions");
  if (line.nextElementSibling !== actions) foot.insertBefore(line, actions); // below the notice, which came later
  return setText(line, `Asked with ${inWords(section.turn.settings ?? {})}`);
}
