/**
 * Style sheets that are fetched when what they style is there.
 */

const loading = new Map();

/**
 * Has a style sheet fetched, once; the promise is kept when it applies.
 * @param {URL} url
 * @returns {Promise<void>}
 */
export function style({ href }) {
  if (!loading.has(href)) loading.set(href, load(href));
  return loading.get(href);
}

function load(href) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  const isLoaded = new Promise((resolve, reject) =>
    Object.assign(link, { onload: resolve, onerror: reject }),
  );
  document.head.append(link);
  isLoaded.catch(() => loading.delete(href)); // it may come the next time
  return isLoaded;
}
