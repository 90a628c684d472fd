/**
 * A conversation's recording: the outline at once, its turns as they are needed. Turns are known by their place in the outline.
 */
import { momentsOf } from "./moments.js";
import { EMPTY, reduce } from "./reducer.js";

const KEPT = 12; // turns whose moments are kept
const CHECKPOINT = 256; // moments

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw Error(`The recording cannot be read (${answer.status}).`);
  return answer;
}

export class Recording {
  static async of(address) {
    const outline = await (await fetched(`${address}outline/`)).json();
    return new Recording(address, outline);
  }

  constructor(address, { turns, running }) {
    Object.assign(this, { address, turns, running });
    this.loaded = new Map();
    this.loading = new Map();
    this.ended = [];
  }

  /** The turn that had begun last at a recorded time. */
  turnAt(time) {
    return Math.max(0, this.turns.findLastIndex(({ begin }) => begin <= time));
  }

  /** The turn's moments if they are there. */
  moments(turn) {
    return this.loaded.get(turn)?.moments;
  }

  /** Loads a turn's moments, and what the turns from `first` to it had come to. */
  async load(turn, first) {
    await Promise.all([this.loadTurn(turn), this.loadEnds(first, turn)]);
  }

  has(turn, first) {
    return this.loaded.has(turn) && this.missing(first, turn).length === 0;
  }

  loadTurn(turn) {
    if (this.loaded.has(turn)) return this.keep(turn, this.loaded.get(turn));
    if (!this.loading.has(turn)) this.loading.set(turn, this.readTurn(turn).finally(() => this.loading.delete(turn)));
    return this.loading.get(turn);
  }

  async readTurn(turn) {
    const { id, begin, first, last } = this.turns[turn];
    const text = await (await fetched(`${this.address}turns/${id}/`)).text();
    const moments = momentsOf(text, begin, last - first + 1);
    const ends = moments.filter(({ event }) => event.type === "TOOL_CALL_END").map(({ at, event }) => [event.toolCallId, at]);
    this.keep(turn, { moments, states: [EMPTY], began: new Map(ends) });
  }

  // What was asked for last is kept longest.
  keep(turn, read) {
    this.loaded.delete(turn);
    this.loaded.set(turn, read);
    while (this.loaded.size > KEPT) this.loaded.delete(this.loaded.keys().next().value);
  }

  missing(first, end) {
    return Array.from({ length: end - first }, (_, index) => first + index).filter((turn) => !this.ended[turn]);
  }

  async loadEnds(first, end) {
    const missing = this.missing(first, end);
    if (!missing.length) return;
    const range = new URLSearchParams({ first: this.turns[missing[0]].first, last: this.turns[missing.at(-1)].last });
    const places = new Map(this.turns.map(({ id }, turn) => [id, turn]));
    for (const told of await (await fetched(`${this.address}ends/?${range}`)).json())
      this.ended[places.get(told.state.id)] = told;
  }

  /** The state after so many of a turn's moments, with the turns from `first` as they had ended. */
  state(turn, count, first) {
    const own = this.stateOf(turn, count);
    const ended = this.ended.slice(first, turn).filter(Boolean);
    const messages = [...ended.flatMap((end) => end.messages), ...own.messages];
    return { ...own, messages, turns: [...ended.map((end) => end.state), ...own.turns], queue: [], played: true };
  }

  // States share what has not changed, so that keeping some costs little; from the nearest one before, the reducer goes on.
  stateOf(turn, count) {
    const { moments, states, latest } = this.loaded.get(turn);
    const kept = states[Math.min(states.length - 1, Math.floor(count / CHECKPOINT))];
    let state = latest?.cursor <= count && latest.cursor > kept.cursor ? latest : kept;
    while (state.cursor < count) {
      state = reduce(state, moments[state.cursor].event);
      if (state.cursor === states.length * CHECKPOINT) states.push(state);
    }
    this.loaded.get(turn).latest = state;
    return state;
  }

  /** When a tool call of the turn had begun to run. */
  began(turn, call) {
    return this.loaded.get(turn)?.began.get(call);
  }
}
