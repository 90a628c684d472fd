/**
 * Older messages, from the page that the server makes for them.
 */
import { hydrate } from "./hydrate.js";

/** The state of the page at the address. XMLHttpRequest parses it, so that no string becomes HTML here. */
export function loadOlder(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () => (request.status === 200 ? resolve(hydrate(request.response)) : reject(Error(request.statusText)));
    request.onerror = () => reject(Error("The server cannot be reached."));
    request.open("GET", url);
    request.send();
  });
}
