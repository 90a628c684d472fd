/**
 * The server's clock: events carry its times, and this machine's may be wrong.
 */

let ahead = 0;

/** Takes the server's time of now, in ms. */
export const setClock = (server) => (ahead = server - Date.now());

let held;

/** Holds the time, in ms: while a recording is played it is the time of its moment. */
export const holdClock = (time) => (held = time);

/** The server's time, in ms. */
export const serverNow = () => held ?? Date.now() + ahead;
