/**
 * A file on its way to the server. XMLHttpRequest alone says how far it has come.
 */
// As the server has them, which says the same of files that come nevertheless.
export const LARGEST = 32 * 1024 ** 2;
export const TOO_LARGE = "This file is too large: 32 MB at most.";
const NEARLY_THERE = 1024 ** 2;
export const EMPTY = "This file is empty.";
const LOST = "The connection was lost. Remove the file, then attach it again.";

/**
 * Takes a file to the address, once that is known; returns what stops it. A server may have the last bytes before the page knows, so
 * a file that is nearly there is let through: what stops it promises its facts then, for it to be forgotten.
 * @param {() => Promise<string>} address
 * @param {string} token
 * @param {File} file
 * @param {{progress: (part: number) => void, done: (facts: AttachedFile) => void, failed: (reason: string) => void}} page
 * @returns {() => Promise<AttachedFile | null> | null}
 */
export function upload(address, token, file, { progress, done, failed }) {
  if (file.size > LARGEST || !file.size) {
    queueMicrotask(() => failed(file.size ? TOO_LARGE : EMPTY));
    return () => null;
  }
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file, file.name);
  let rest = file.size;
  let isOver = false;
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    rest = total - loaded;
    progress(loaded / (total || 1));
  });
  request.addEventListener("load", () => {
    if (isOver) return;
    const answer = answerOf(request);
    if (request.status === 201) done(answer);
    else failed(answer?.error?.message ?? LOST);
  });
  request.addEventListener("error", () => isOver || failed(LOST));
  /** @param {string} url */
  const begin = (url) => {
    if (isOver) return;
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", token);
    request.send(form);
  };
  address().then(begin, () => failed(LOST));
  return () => {
    isOver = true;
    if (rest > NEARLY_THERE) request.abort();
    const isOnItsWay = request.readyState > XMLHttpRequest.UNSENT && request.readyState < XMLHttpRequest.DONE;
    return isOnItsWay ? factsFrom(request) : null;
  };
}

/**
 * The facts of a file whose request goes on, null where it fails.
 * @param {XMLHttpRequest} request
 * @returns {Promise<AttachedFile | null>}
 */
const factsFrom = (request) =>
  new Promise((resolve) => {
    request.addEventListener("loadend", () => resolve(request.status === 201 ? answerOf(request) : null));
  });

/** @param {XMLHttpRequest} request */
function answerOf({ responseText }) {
  try {
    return JSON.parse(responseText);
  } catch {
    return null; // a proxy's page
  }
}
