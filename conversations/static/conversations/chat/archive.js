/**
 * A page of older messages, reached without going through the newest: shown, not followed.
 */
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { byId, closeOnLeaving, inside } from "../lib/dom.js";
import { readingActions } from "../shortcuts/acting.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { Announcer } from "../transcript/announcer.js";
import { hydrate } from "../transcript/hydrate.js";
import { View } from "../transcript/view.js";

function start() {
  const log = byId("transcript");
  const view = new View(log);
  const state = { ...hydrate(document), queue: [], partial: true };
  const announcer = new Announcer(byId("announcer"));
  const show = () => (view.render(state, []) ? arriveIfAsked(log) : requestAnimationFrame(show));
  /** @type {Say} */
  const say = (sentence) => announcer.say(sentence);
  copyOnClick((button) => textToCopy(button, state), say);
  listenToShortcuts(readingActions(log, say));
  closeOnLeaving(inside(document, "details.menu"));
  show();
}

/**
 * Goes to the hit of a search.
 * @param {HTMLElement} log
 */
async function arriveIfAsked(log) {
  const query = new URLSearchParams(location.search);
  if (!query.has("at")) return;
  const { arrive } = await import("../finding/arrival.js");
  await arrive(log, query);
}

start();
