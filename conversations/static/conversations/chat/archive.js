/**
 * A page of older messages, reached without going through the newest: shown, not followed.
 */
import { Announcer } from "../transcript/announcer.js";
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { hydrate } from "../transcript/hydrate.js";
import { View } from "../transcript/view.js";

const view = new View(document.getElementById("transcript"));
const state = { ...hydrate(document), queue: [], partial: true };
const show = () => view.render(state, []) || requestAnimationFrame(show);
const announcer = new Announcer(document.getElementById("announcer"));

copyOnClick((button) => textToCopy(button, state), (sentence) => announcer.say(sentence));
show();
