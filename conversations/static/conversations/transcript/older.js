/**
 * Older messages, from the pages that the server makes for them.
 */
import { hydrate } from "./hydrate.js";

const NEAR = "150% 0px 0px"; // of the window's height, above it

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

/** Calls `load` as the reader comes near the link, and again if it is still near; not after it has failed: then there is the link. */
export function whenNear(link, load) {
  const observer = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    if (await load().then(() => true, () => false)) observer.observe(link);
  }, { rootMargin: NEAR });
  observer.observe(link);
}
