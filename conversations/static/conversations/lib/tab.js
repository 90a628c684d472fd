/**
 * What a tab keeps over a reload. It may be denied its storage; then a reload forgets.
 */

/** What is kept under the key, or something else where nothing is. */
export function load(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps a value; null is forgotten. */
export function save(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* full or denied */
  }
}
