/**
 * What a site has of its own for a tool: a label, and a template that the server draws a call's card with.
 */
import { loadDocument } from "../lib/documents.js";
import { byId, inside } from "../lib/dom.js";

/** @type {WeakMap<HTMLElement, string>} */
const drawnStates = new WeakMap(); // of the calls whose cards were drawn last: with a result, or before

/**
 * @param {string} name
 * @returns {{label?: string, card?: boolean}}
 */
function ownOf(name) {
  const { tools } = byId("conversation")?.dataset ?? {};
  return (tools && JSON.parse(tools)[name]) || {};
}

/**
 * A tool's name for people.
 * @param {string} name
 */
export const labelOf = (name) => ownOf(name).label ?? name;

/**
 * Has the server draw the card; without an answer the usual one is left. Returns whether there is anything new.
 * @param {HTMLElement} card
 * @param {Block} block
 */
export async function drawOwn(card, { message, result, interrupt }) {
  const [{ id, function: call }] = message.toolCalls ?? [];
  const place = inside(card, ".own");
  const state = result ? "result" : interrupt ? "asked" : "";
  if (!ownOf(call.name).card || drawnStates.get(card) === state) return false;
  const isNew = drawnStates.has(card) || !place.childElementCount;
  drawnStates.set(card, state);
  if (!isNew) return false;
  const address = `${byId("conversation").dataset.cards}?call=${encodeURIComponent(id)}`;
  const page = state && (await loadDocument(result ? address : `${address}&asked`).catch(() => null));
  if (drawnStates.get(card) !== state) return false;
  const isNews = Boolean(page) || place.childElementCount > 0;
  place.replaceChildren(...(page ? page.body.childNodes : []));
  if (!page) drawnStates.delete(card); // it is tried again when the card is opened the next time
  return isNews;
}
