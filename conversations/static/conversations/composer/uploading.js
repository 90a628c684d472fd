/**
 * A file on its way to the server. XMLHttpRequest alone says how far it has come.
 */
const LARGEST = 32 * 1024 ** 2;
const TOO_LARGE = "This file is too large: 32 MB at most.";
const EMPTY = "This file is empty.";
const LOST = "The connection was lost. Remove the file, then attach it again.";

/**
 * Takes a file to the address, once that is known; returns what stops it.
 * @param {() => Promise<string>} address
 * @param {string} token
 * @param {File} file
 * @param {{progress: (part: number) => void, done: (facts: AttachedFile) => void, failed: (reason: string) => void}} page
 */
export function upload(address, token, file, { progress, done, failed }) {
  if (file.size > LARGEST || !file.size) {
    queueMicrotask(() => failed(file.size ? TOO_LARGE : EMPTY));
    return () => undefined;
  }
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file, file.name);
  request.upload.addEventListener("progress", ({ loaded, total }) => progress(loaded / (total || 1)));
  request.addEventListener("load", () => {
    const answer = answerOf(request);
    if (request.status === 201) done(answer);
    else failed(answer?.error?.message ?? LOST);
  });
  request.addEventListener("error", () => failed(LOST));
  let isOver = false;
  const begin = (url) => {
    if (isOver) return;
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", token);
    request.send(form);
  };
  address().then(begin, () => failed(LOST));
  return () => {
    isOver = true;
    request.abort();
  };
}

function answerOf({ responseText }) {
  try {
    return JSON.parse(responseText);
  } catch {
    return null; // a proxy's page
  }
}
