/**
 * Where the app is on its site, which may have it below a prefix.
 */

/**
 * An address of the app, such as `settings/`, or of its start page.
 * @param {string} [path]
 */
export const addressOfApp = (path = "") => `${document.body.dataset.home ?? "/"}${path}`;

/**
 * The same for a websocket.
 * @param {string} path
 */
export const socketOfApp = (path) => `${location.origin.replace(/^http/, "ws")}${addressOfApp(path)}`;
