/**
 * What is fetched. XMLHttpRequest parses HTML, so that no string becomes HTML here.
 */

/**
 * The JSON at the address, which is never a page that it leads to.
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export async function loadJSON(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "application/json" }, redirect: "error" });
  if (!answer.ok) throw Error(answer.statusText);
  return answer.json();
}

/**
 * A loader that loads once; what has failed is tried again at the next call.
 * @template Value
 * @param {() => Promise<Value>} load
 * @returns {() => Promise<Value>}
 */
export function once(load) {
  /** @type {Promise<Value> | null} */
  let loading = null;
  return () => {
    loading ??= load().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  };
}

/**
 * The document at the address, or the one that a fragment stands in.
 * @param {string} url
 * @returns {Promise<Document>}
 */
export const loadDocument = (url) => load("GET", url, (status) => status === 200);

/**
 * The document that answers a form, also one that says why it is refused.
 * @param {HTMLFormElement} form
 */
export const sendForm = (form) =>
  load(
    "POST",
    form.action,
    (status) => status < 500,
    new URLSearchParams(Array.from(new FormData(form), ([name, value]) => [name, String(value)])),
  );

/**
 * @param {string} method
 * @param {string} url
 * @param {(status: number) => boolean} isAnswer
 * @param {URLSearchParams} [body]
 * @returns {Promise<Document>}
 */
function load(method, url, isAnswer, body) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () =>
      isAnswer(request.status) ? resolve(request.response) : reject(Error(request.statusText));
    request.onerror = () => reject(Error("The server cannot be reached."));
    request.open(method, url);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest"); // a notice that comes once is for a page that is seen
    request.send(body);
  });
}

const NEAR = "150% 0px 0px"; // of the window's height, above it

/**
 * Calls `load` as the reader comes near the link, and again if it is still near; not after it has failed: then there is the link.
 * @param {Element} link
 * @param {() => Promise<unknown>} load
 * @param {IntersectionObserverInit} options
 */
export function whenNear(link, load, options = { rootMargin: NEAR }) {
  const observer = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    const isWell = await load().then(
      () => true,
      () => false,
    );
    if (isWell) observer.observe(link);
  }, options);
  observer.observe(link);
}
