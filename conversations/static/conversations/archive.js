/**
 * A page of older messages, reached without going through the newest: shown, not followed.
 */
import { hydrate } from "./hydrate.js";
import { View } from "./view.js";

const view = new View(document.getElementById("transcript"));
const state = { ...hydrate(document), queue: [], partial: true };
const show = () => view.render(state, []) || requestAnimationFrame(show);
show();
