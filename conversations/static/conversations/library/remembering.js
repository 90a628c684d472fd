/**
 * What the server is to know when it makes the next page, kept in cookies.
 */
const YEAR = 365 * 24 * 60 * 60;

/** Keeps a value that holds neither blanks nor semicolons; returns whether it was another before. */
export function remember(name, value) {
  const pair = `${name}=${value}`;
  if (document.cookie.split("; ").includes(pair)) return false;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${pair}; path=/; max-age=${YEAR}; samesite=lax`;
  return true;
}
