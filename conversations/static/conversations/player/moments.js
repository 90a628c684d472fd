/**
 * A turn's stored lines as moments: one for each delta as it came, though neighbours were stored together.
 *
 * A moment is an event numbered by its place in the turn (`metadata.seq`, from 1), with the time `at` when it came (ms since 1970).
 */

/**
 * The moments of `frame TAB boundaries` lines, none before `begin`; times never go backwards.
 * @param {string} text
 * @param {number} begin
 * @param {number} [count]
 * @returns {Moment[]}
 */
export function momentsOf(text, begin, count = Infinity) {
  /** @type {Moment[]} */
  const moments = [];
  const lines = text.split("\n").slice(0, count);
  let latest = begin;
  for (const line of lines) {
    const tab = line.lastIndexOf("\t");
    const event = JSON.parse(line.slice(0, tab));
    for (const [at, part] of partsOf(event, line.slice(tab + 1))) {
      latest = Math.max(latest, at);
      moments.push({
        at: latest,
        event: Object.assign({}, part, { metadata: { ...part.metadata, seq: moments.length + 1 } }),
      });
    }
  }
  return moments;
}

/**
 * Boundaries are [ms after the event's time, code points], a pair for every merged delta.
 * @param {Exclude<AguiEvent, MessagesSnapshot>} event
 * @param {string} boundaries
 * @returns {[number, AguiEvent][]}
 */
function partsOf(event, boundaries) {
  const { timestamp = 0 } = event;
  if (!boundaries || !("delta" in event)) return [[timestamp, event]];
  const letters = Array.from(event.delta);
  let start = 0;
  /** @type {[offset: number, length: number][]} */
  const pairs = JSON.parse(boundaries);
  return pairs.map(([offset, length]) => {
    const delta = letters.slice(start, start + length).join("");
    start += length;
    return [timestamp + offset, { ...event, delta }];
  });
}

/**
 * How many of the moments have come at that time.
 * @param {Moment[]} moments
 * @param {number} time
 */
export function countAt(moments, time) {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle].at <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
