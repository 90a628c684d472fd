import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { hasNews, inWords } from "../../conversations/static/conversations/transcript/settings.js";

const NAMES = JSON.stringify({ "a.model": "A model" });
globalThis.document.getElementById = () => ({ dataset: { names: NAMES, models: '["a.model"]' } });

const news = (settings, before) => hasNews(/** @type {any} */ ({ turn: { settings }, before }));

test("what a turn was asked with is said in words, and what was not set is not", () => {
  const inference = { temperature: 0, topP: 0.5, maxTokens: 1000, stopSequences: ["END"] };
  const settings = {
    model: "a.model",
    inference,
    reasoning: 2048,
    toolsOff: ["a", "b"],
    instructions: "Be brief.",
  };
  assert.equal(
    inWords(settings),
    "A model · temperature 0 · topP 0.5 · at most 1,000 tokens · a stop sequence · up to 2,048 tokens of reasoning · " +
      "without a, b · instructions “Be brief.”",
  );
  assert.equal(inWords({ model: "another" }), "another");
});

test("it is news where it is new, and at first where there is more than the only model", () => {
  assert.equal(news({ model: "a.model" }), false);
  assert.equal(news({ model: "a.model", reasoning: 2048 }), true);
  assert.equal(news({ model: "a.model", reasoning: 2048 }, { model: "a.model", reasoning: 2048 }), false);
  assert.equal(news({ model: "a.model" }, { model: "a.model", reasoning: 2048 }), true);
  assert.equal(news(undefined, { model: "a.model" }), false);
});
