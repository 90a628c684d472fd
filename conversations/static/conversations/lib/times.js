/**
 * Times as the reader's own clock shows them; the server, which does not know it, writes them in its own.
 */

const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const SECONDS = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/**
 * The exact time, with its zone.
 * @param {string | number} time
 */
export const exactTime = (time) => EXACT.format(new Date(time));

/**
 * Shows a time to the second, and the exact one on hover.
 * @param {HTMLTimeElement} element
 * @param {string | number} time
 */
export function showTime(element, time) {
  const date = new Date(time);
  const words = Number.isNaN(date.getTime()) ? "" : SECONDS.format(date);
  if (element.textContent === words) return;
  element.textContent = words;
  element.dateTime = words && date.toISOString();
  element.title = words && exactTime(time);
}

/**
 * Shows the page's times: one that says how long ago it was goes on saying so, and each tells the exact one on hover.
 * @param {ParentNode} root
 */
export function showLocalTimes(root) {
  /** @type {NodeListOf<HTMLTimeElement>} */
  const times = root.querySelectorAll("time[datetime]");
  for (const time of times) {
    if (time.dataset.age === undefined) time.textContent = SHORT.format(new Date(time.dateTime));
    time.title = exactTime(time.dateTime);
  }
}
