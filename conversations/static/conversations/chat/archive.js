/**
 * A page of older messages, reached without going through the newest: shown, not followed.
 */
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { closeOnLeaving } from "../lib/dom.js";
import { Announcer } from "../transcript/announcer.js";
import { hydrate } from "../transcript/hydrate.js";
import { View } from "../transcript/view.js";

function start() {
  const view = new View(document.getElementById("transcript"));
  const state = { ...hydrate(document), queue: [], partial: true };
  const announcer = new Announcer(document.getElementById("announcer"));
  const show = () => view.render(state, []) || requestAnimationFrame(show);
  copyOnClick(
    (button) => textToCopy(button, state),
    (sentence) => announcer.say(sentence),
  );
  closeOnLeaving(document.querySelector("details.menu"));
  show();
}

start();
