/**
 * Sentences about how long nothing has come from the server. A page without a connection has none.
 */
import { duration } from "../lib/format.js";

const QUIET_MS = 60_000; // a turn without news
const UNCONFIRMED_MS = 10_000; // a message that was sent

/** @type {number | null} */
let opened = null;
let heard = 0;

/** Takes note of the connection, and of each time that something comes through it. */
export function lineOpened() {
  opened = heard = Date.now();
}

export const lineLost = () => (opened = null);
export const lineHeard = () => (heard = Date.now());

/** A sentence about a turn that nothing has been heard of for long, or "". */
export const silence = () => since(heard, QUIET_MS, (time) => `. Nothing new for ${time}`);

/**
 * A sentence about a message that was sent at a time and is not confirmed, or "".
 * @param {number | undefined} at
 */
export const unconfirmed = (at = 0) =>
  since(at, UNCONFIRMED_MS, (time) => `. The server has not confirmed it for ${time}`);

/** @type {(time: number, patience: number, say: (time: string) => string) => string} */
function since(time, patience, say) {
  const past = opened === null ? 0 : Date.now() - Math.max(time, opened);
  return past >= patience ? say(duration(Math.floor(past / 1000) * 1000).replace(/\.0 s/, " s")) : "";
}
