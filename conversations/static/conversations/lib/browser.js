/**
 * Storage for the tab, cookies that the server reads, and random UUIDs. A browser may deny storage: then a reload forgets.
 */

const YEAR = 365 * 24 * 60 * 60;

/**
 * The value under the key, or the other one where there is none.
 * @template Value
 * @param {string} key
 * @param {Value} otherwise
 * @returns {Value}
 */
export function load(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * Keeps a value; null is forgotten.
 * @param {string} key
 * @param {unknown} value
 */
export function save(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* full or denied */
  }
}

/**
 * Keeps a value without blanks and semicolons in a cookie; true if it was another before.
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  const pair = `${name}=${value}`;
  if (document.cookie.split("; ").includes(pair)) return false;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${pair}; path=/; max-age=${YEAR}; samesite=lax`;
  return true;
}

/** A random UUID; crypto.randomUUID is there in secure contexts only, not on plain http in a local network. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
