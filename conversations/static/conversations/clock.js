/**
 * The server's clock: events carry its times, and this machine's may be wrong.
 */

let ahead = 0;

/** Takes the server's time of now, in ms. */
export const setClock = (server) => (ahead = server - Date.now());

/** The server's time, in ms. */
export const serverNow = () => Date.now() + ahead;
