/**
 * Style sheets that are fetched when what they style is there.
 */

/** @type {Map<string, Promise<unknown>>} */
const loading = new Map();

/**
 * Has a style sheet fetched, once; resolves when it applies.
 * @param {URL} url
 */
export function style({ href }) {
  const sheet = loading.get(href) ?? load(href);
  loading.set(href, sheet);
  return sheet;
}

/** @param {string} href */
function load(href) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  const isLoaded = new Promise((resolve, reject) =>
    Object.assign(link, { onload: resolve, onerror: reject }),
  );
  document.head.append(link);
  isLoaded.catch(() => loading.delete(href)); // it may come the next time
  return isLoaded;
}
