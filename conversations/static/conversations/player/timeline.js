/**
 * Recorded times (ms since 1970) against played ones (ms from the start): the same but where a wait is shortened.
 */

export const SHORT_MS = 1000; // what is left of a shortened wait

export class Timeline {
  /**
   * `skipping` shortens all long waits, else only those in which nothing was under way.
   * @param {TurnOutline[]} turns
   * @param {boolean} skipping
   */
  constructor(turns, skipping) {
    /** @type {[number, number][]} recorded and played times */
    this.knots = turns.length ? [[turns[0].begin, 0]] : [[0, 0]];
    /** @type {{begin: number, end: number, played: number, key: string}[]} */
    this.shortened = [];
    for (const turn of turns) {
      this.wait(turn.begin, `turn:${turn.id}`);
      for (const [begin, end, key, isIdle] of turn.waits) {
        this.go(begin);
        if (skipping || isIdle) this.wait(end, key || `turn:${turn.id}`);
      }
      this.go(turn.end);
    }
  }

  get length() {
    return this.last[1];
  }

  get last() {
    return this.knots[this.knots.length - 1];
  }

  /**
   * @param {number} recorded
   * @param {number} [longest]
   */
  go(recorded, longest = Infinity) {
    const [before, played] = this.last;
    if (recorded > before) this.knots.push([recorded, played + Math.min(recorded - before, longest)]);
  }

  /**
   * @param {number} end
   * @param {string} key
   */
  wait(end, key) {
    const [begin, played] = this.last;
    if (end - begin > SHORT_MS) this.shortened.push({ begin, end, played, key });
    this.go(end, SHORT_MS);
  }

  /**
   * The played time of a recorded one.
   * @param {number} recorded
   */
  played(recorded) {
    return this.between(recorded, 0, 1);
  }

  /**
   * The recorded time of a played one.
   * @param {number} played
   */
  recorded(played) {
    return this.between(played, 1, 0);
  }

  /**
   * @param {number} value
   * @param {0 | 1} from
   * @param {0 | 1} to
   */
  between(value, from, to) {
    let [low, high] = [0, this.knots.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.knots[middle][from] <= value) low = middle;
      else high = middle;
    }
    const [before, after] = [this.knots[low], this.knots[high]];
    const span = after[from] - before[from];
    const share = span ? Math.min(1, Math.max(0, (value - before[from]) / span)) : 0;
    return before[to] + share * (after[to] - before[to]);
  }
}
