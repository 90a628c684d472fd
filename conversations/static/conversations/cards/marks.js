/**
 * The mark of each state that a call may be in: a shape of its own, beside the word that says the same.
 */
import { svg } from "../lib/dom.js";

const CIRCLE = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5";
const SHAPES = {
  writing: "M2.5 13.5l.75-3.25L10.5 3l2.5 2.5l-7.25 7.25zM9 4.5l2.5 2.5",
  waiting: `${CIRCLE}M6 6.25a2 2 0 1 1 2.75 1.85q-.75.35-.75 1.15M8 11.5v.25`,
  decided: "M5.5 3v10M10.5 3v10",
  held: "M5.5 3v10M10.5 3v10",
  running: "M8 1.75a6.25 6.25 0 1 1-6.25 6.25",
  success: "M2.5 8.75l3.5 3.5l7.5-8.5",
  error: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  denied: `${CIRCLE}M3.6 3.6l8.8 8.8`,
  expired: `${CIRCLE}M8 4.5v3.75l2.5 1.5`,
  interrupted: "M1.5 8h4l1.25-3.5M9.25 11.5L10.5 8h4",
  stopped: "M3.5 3.5h9v9h-9z",
  unfinished: "M2.5 8h1M7.5 8h1M12.5 8h1",
};

/** The mark of a state, for eyes only. */
export function drawMark(state) {
  return svg("svg", { class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: SHAPES[state] }));
}
