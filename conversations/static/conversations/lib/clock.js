/**
 * The server's clock: events carry its times, and this machine's may be wrong.
 */

let ahead = 0;

/**
 * Sets the clock by the server's present time, in ms.
 * @param {number} server
 */
export const setClock = (server) => (ahead = server - Date.now());

/** @type {number | undefined} */
let fixed;

/**
 * Holds the time, in ms: while a recording is played it is the time of its moment.
 * @param {number} time
 */
export const fixClock = (time) => (fixed = time);

/** The server's time, in ms. */
export const serverNow = () => fixed ?? Date.now() + ahead;
