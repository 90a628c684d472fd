import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { drawOwn } from "../../conversations/static/conversations/cards/own.js";

const TOOLS = JSON.stringify({ top_song: { card: true } });
globalThis.document.getElementById = () => ({ dataset: { tools: TOOLS, cards: "/card/" } });

const answers = [];
globalThis.XMLHttpRequest = class {
  open() {}
  setRequestHeader() {}
  send() {
    Object.assign(this, answers.shift());
    this.onload();
  }
};
const failed = { status: 503 };
const answered = (...nodes) => ({ status: 200, response: { body: { childNodes: nodes } } });

function newCard() {
  const place = {
    nodes: [],
    get childElementCount() {
      return this.nodes.length;
    },
    replaceChildren(...nodes) {
      this.nodes = nodes;
    },
  };
  return { place, querySelector: () => place };
}

const message = { toolCalls: [{ id: "1", function: { name: "top_song", arguments: "{}" } }] };
const block = { message, result: { content: "WZPZ" } };

test("a site's card that could not be loaded is tried again at the next press, one that is there is not", async () => {
  const card = newCard();
  answers.push(failed, answered("a card"), answered("another"));
  assert.equal(await drawOwn(card, block), false);
  assert.equal(await drawOwn(card, block), true);
  assert.equal(await drawOwn(card, block), false);
  assert.deepEqual(card.place.nodes, ["a card"]);
});

test("the card of a call that was asked about goes when that of its result cannot be loaded", async () => {
  const card = newCard();
  answers.splice(0, Infinity, answered("a question"), failed);
  await drawOwn(card, { message, interrupt: { id: "i" } });
  assert.equal(await drawOwn(card, block), true);
  assert.deepEqual(card.place.nodes, []);
});
