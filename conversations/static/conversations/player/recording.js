/**
 * A conversation's recording: the outline at once, its turns as they are needed. Turns are known by their place in the outline.
 */
import { EMPTY, reduce } from "../transcript/reducer.js";
import { momentsOf } from "./moments.js";

const CAPACITY = 12; // turns whose moments are kept
const CHECKPOINT = 256; // moments

/**
 * The moments of a turn, and its states: one for each checkpoint, and the one that was shown last.
 * @typedef {{moments: Moment[], states: State[], callStarts: Map<string, number>, latest?: State}} RecordedTurn
 */

/** @typedef {{state: Turn, messages: Message[]}} TurnEnd what a turn has come to */
/** @typedef {[first: number, last: number]} Run of neighbours */

/** @param {string} address */
async function get(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw Error(`The recording cannot be read (${answer.status}).`);
  return answer;
}

export class Recording {
  /** @param {string} address */
  static async of(address) {
    const outline = await (await get(`${address}outline/`)).json();
    return new Recording(address, outline);
  }

  /**
   * @param {string} address
   * @param {{turns: TurnOutline[], running: string[]}} outline
   */
  constructor(address, { turns, running }) {
    this.address = address;
    this.turns = turns;
    this.running = running;
    /** @type {Map<string, number>} */
    this.places = new Map(turns.map(({ id }, turn) => [id, turn]));
    /** @type {Map<number, RecordedTurn>} */
    this.loaded = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.loading = new Map();
    /** @type {TurnEnd[]} */
    this.ends = [];
  }

  /**
   * The turn that had begun last at a recorded time.
   * @param {number} time
   */
  turnAt(time) {
    return Math.max(
      0,
      this.turns.findLastIndex(({ begin }) => begin <= time),
    );
  }

  /**
   * The turns that a turn followed on, oldest first, the `reach` nearest ones: not those of other branches.
   * @param {number} turn
   * @param {number} reach
   */
  before(turn, reach) {
    const places = [];
    /** @param {number} place */
    const parentOf = (place) => this.places.get(this.turns[place].parent ?? "");
    for (let at = parentOf(turn); at !== undefined && places.length < reach; at = parentOf(at))
      places.unshift(at);
    return places;
  }

  /**
   * The turn's moments, none if they are not there.
   * @param {number} turn
   * @returns {Moment[]}
   */
  moments(turn) {
    return this.loaded.get(turn)?.moments ?? [];
  }

  /**
   * Loads a turn's moments, and what the turns `before` it had come to.
   * @param {number} turn
   * @param {number[]} before
   */
  async load(turn, before) {
    await Promise.all([this.loadTurn(turn), ...this.missing(before).map((run) => this.loadEnds(run))]);
  }

  /**
   * @param {number} turn
   * @param {number[]} before
   */
  has(turn, before) {
    return this.loaded.has(turn) && this.missing(before).length === 0;
  }

  /** @param {number} turn */
  loadTurn(turn) {
    const recorded = this.loaded.get(turn);
    if (recorded) return this.keep(turn, recorded);
    if (!this.loading.has(turn))
      this.loading.set(
        turn,
        this.readTurn(turn).finally(() => this.loading.delete(turn)),
      );
    return this.loading.get(turn);
  }

  /** @param {number} turn */
  async readTurn(turn) {
    const { id, begin, first, last } = this.turns[turn];
    const text = await (await get(`${this.address}turns/${id}/`)).text();
    const moments = momentsOf(text, begin, last - first + 1);
    this.keep(turn, { moments, states: [EMPTY], callStarts: callStarts(moments) });
  }

  /**
   * Keeps a turn; those that were used last stay longest.
   * @param {number} turn
   * @param {RecordedTurn} recorded
   */
  keep(turn, recorded) {
    this.loaded.delete(turn);
    this.loaded.set(turn, recorded);
    for (const oldest of this.loaded.keys()) if (this.loaded.size > CAPACITY) this.loaded.delete(oldest);
  }

  /**
   * The turns whose ends are not there, as runs of neighbours.
   * @param {number[]} turns
   */
  missing(turns) {
    /** @type {Run[]} */
    const runs = [];
    for (const turn of turns.filter((one) => !this.ends[one])) {
      const last = runs.at(-1);
      if (last && last[1] === turn - 1) last[1] = turn;
      else runs.push([turn, turn]);
    }
    return runs;
  }

  /** @param {Run} run */
  async loadEnds([first, last]) {
    const range = new URLSearchParams({
      first: String(this.turns[first].first),
      last: String(this.turns[last].last),
    });
    for (const end of await (await get(`${this.address}ends/?${range}`)).json()) this.keepEnd(end);
  }

  /** @param {TurnEnd} end */
  keepEnd(end) {
    const turn = this.places.get(end.state.id);
    if (turn !== undefined) this.ends[turn] = end;
  }

  /**
   * The state after so many of a turn's moments, with the turns `before` it as they had ended.
   * @param {number} turn
   * @param {number} count
   * @param {number[]} before
   * @returns {State}
   */
  state(turn, count, before) {
    const own = this.stateOf(turn, count);
    const ends = before.flatMap((one) => this.ends[one] ?? []);
    const messages = [...ends.flatMap((end) => end.messages), ...own.messages];
    return {
      ...own,
      messages,
      turns: [...ends.map((end) => end.state), ...own.turns],
      queue: [],
      played: true,
    };
  }

  /**
   * The state after so many of the turn's own moments, reduced from the nearest one that is kept.
   * @param {number} turn
   * @param {number} count
   */
  stateOf(turn, count) {
    const recorded = this.loaded.get(turn);
    if (!recorded) return EMPTY;
    const { moments, states, latest } = recorded;
    const checkpoint = states[Math.min(states.length - 1, Math.floor(count / CHECKPOINT))];
    let state = latest && latest.cursor <= count && latest.cursor > checkpoint.cursor ? latest : checkpoint;
    while (state.cursor < count) {
      state = reduce(state, moments[state.cursor].event);
      if (state.cursor === states.length * CHECKPOINT) states.push(state);
    }
    recorded.latest = state;
    return state;
  }

  /**
   * When a tool call of the turn had begun to run.
   * @param {number} turn
   * @param {string} call
   */
  callStart(turn, call) {
    return this.loaded.get(turn)?.callStarts.get(call);
  }
}

/**
 * When each call began to run: once written, or once the turn went on after somebody was asked about it.
 * @param {Moment[]} moments
 */
function callStarts(moments) {
  /** @type {Map<string, number>} */
  const starts = new Map();
  const answered = new Set();
  for (const { at, event } of moments) {
    if (event.type === "TOOL_CALL_END") starts.set(event.toolCallId, at);
    if (event.type === "TOOL_CALL_RESULT") answered.add(event.toolCallId);
    if (event.type === "RUN_STARTED")
      for (const call of starts.keys()) if (!answered.has(call)) starts.set(call, at);
  }
  return starts;
}
