/**
 * Plays a recording in the parts that the chat page is made of: what is shown follows from the events up to a moment, whichever way
 * one has come there.
 */
import { tick as tickTools } from "../cards/tool.js";
import { fixClock } from "../lib/clock.js";
import { all, around } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { tick as tickFeet } from "../transcript/foot.js";
import { EMPTY } from "../transcript/reducer.js";
import { countAt } from "./moments.js";
import { Playhead } from "./playhead.js";
import { Timeline } from "./timeline.js";

const REACH = 5; // turns before the one that is played
const FURTHER = 10; // turns that `showEarlier` adds
const AHEAD_MS = 8; // half a frame: what is due before the next one is nearer to this one

/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("../transcript/view.js").View} View */

/**
 * What has changed: with the moments that were applied, or with the reason why it failed.
 * @typedef {[what: "moved" | "playing", detail?: undefined] | ["applied", Moment[]] | ["failed", string]} PlayerNews
 */

export class Player {
  /**
   * @param {Recording} recording
   * @param {View} view
   * @param {(...news: PlayerNews) => void} changed
   * @param {() => number} [now]
   */
  constructor(recording, view, changed, now) {
    this.recording = recording;
    this.view = view;
    this.changed = changed;
    this.playhead = new Playhead(now);
    this.at = { turn: 0, count: 0, time: recording.turns[0].begin };
    this.reach = REACH;
    this.isPlaying = false;
    this.requests = 0;
    this.skipping = false;
    this.timeline = new Timeline(recording.turns, false);
    /** What is drawn, null where that is unfinished. */
    this.drawn = null;
    /** What is shown. */
    this.state = EMPTY;
    /** @type {number | undefined} */
    this.frame = undefined;
    this.putPlayhead();
  }

  /** The turns before the one that is played. */
  get before() {
    return this.recording.before(this.at.turn, this.reach);
  }

  get hasEarlier() {
    return this.recording.before(this.at.turn, this.reach + 1).length > this.reach;
  }

  // -- what the reader asks for

  play() {
    if (this.playhead.position >= this.playhead.length) this.seek(0);
    this.isPlaying = true;
    this.playhead.play();
    this.changed("playing");
    this.next();
  }

  pause() {
    this.isPlaying = false;
    this.playhead.pause();
    this.changed("playing");
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.playhead.setSpeed(speed);
  }

  /** @param {boolean} skipping */
  setSkipping(skipping) {
    this.skipping = skipping;
    this.timeline = new Timeline(this.recording.turns, skipping);
    this.drawn = null;
    this.putPlayhead();
  }

  // Where the moment is that is shown.
  putPlayhead() {
    this.playhead.length = this.timeline.length;
    this.playhead.seek(this.timeline.played(this.at.time));
  }

  /**
   * Goes to a played time.
   * @param {number} position
   */
  seek(position) {
    const within = Math.min(this.timeline.length, Math.max(0, position));
    return this.goTo(this.timeline.recorded(within));
  }

  /**
   * Goes to a recorded time, or to the place behind a number of a turn's moments.
   * @param {number} time
   * @param {number} [turn]
   * @param {number} [count]
   */
  async goTo(time, turn = this.recording.turnAt(time), count) {
    const request = ++this.requests;
    this.reach = REACH;
    this.playhead.seek(this.timeline.played(time));
    if (!(await this.ready(turn)) || request !== this.requests) return;
    this.show(turn, count ?? countAt(this.recording.moments(turn), time), time);
    this.changed("moved");
  }

  /**
   * Goes a moment on or back.
   * @param {number} by
   */
  async step(by) {
    this.pause();
    if (!(await this.ready(this.at.turn))) return;
    let turn = this.at.turn;
    let count = this.at.count + by;
    if (count < 1 && turn > 0) [turn, count] = [turn - 1, Infinity];
    else if (count > this.recording.moments(turn).length && turn + 1 < this.recording.turns.length)
      [turn, count] = [turn + 1, 1];
    if (!(await this.ready(turn))) return;
    const moments = this.recording.moments(turn);
    const place = Math.min(moments.length, Math.max(1, count));
    await this.goTo(moments[place - 1].at, turn, place);
  }

  /**
   * Goes to the next of these recorded times, or the one before.
   * @param {number[]} times
   * @param {number} by
   */
  async leap(times, by) {
    const { time } = this.at;
    const margin = this.isPlaying ? 1000 : 0; // going back while it plays on means the one before
    const { end } = this.recording.turns[this.recording.turns.length - 1];
    const next = by > 0 ? (times.find((at) => at > time) ?? end) : times.findLast((at) => at < time - margin);
    await this.goTo(next ?? times[0] ?? time);
  }

  /**
   * Shows more of the turns before this one; `hold(change)` keeps the reader's place.
   * @param {(change: () => void) => void} hold
   */
  async showEarlier(hold) {
    this.reach += FURTHER;
    if (!(await this.ready(this.at.turn))) return;
    hold(() => this.show(this.at.turn, this.at.count, this.at.time));
    this.changed("moved");
  }

  /**
   * Does what a seek does, to the next turn and in a view that nobody sees: the first time is by far the slowest.
   * @param {View} view
   */
  async rehearse(view) {
    const { recording, at, reach } = this;
    const turn = Math.min(at.turn + 1, recording.turns.length - 1);
    await recording.load(turn, recording.before(turn, reach));
    view.render(recording.state(turn, recording.moments(turn).length, recording.before(turn, reach)), []);
  }

  // -- how it is played

  /**
   * Loads a turn while the clock stands; false where it cannot be had.
   * @param {number} turn
   */
  async ready(turn) {
    const before = this.recording.before(turn, this.reach);
    if (this.recording.has(turn, before)) return true;
    this.playhead.pause();
    try {
      await this.recording.load(turn, before);
    } catch (error) {
      this.pause();
      this.changed("failed", /** @type {Error} */ (error).message);
      return false;
    }
    if (this.isPlaying) this.playhead.play();
    return true;
  }

  next() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const unfinished = this.drawn === null && this.recording.has(this.at.turn, this.before);
    if (this.playhead.playing) this.advance();
    else if (unfinished) this.show(this.at.turn, this.at.count, this.at.time);
    if (this.isPlaying) this.next();
  }

  advance() {
    const { playhead, recording, timeline } = this;
    const isAtEnd = playhead.position >= playhead.length; // before what takes its time: nothing is left out
    const time = timeline.recorded(Math.min(timeline.length, playhead.position + AHEAD_MS * playhead.speed));
    const turn = recording.turnAt(time);
    if (!recording.has(turn, recording.before(turn, this.reach))) return void this.goTo(time);
    const { at } = this;
    this.show(turn, countAt(recording.moments(turn), time), time);
    this.changed("applied", this.eventsSince(at));
    const next = turn + 1;
    if (next < recording.turns.length)
      recording.load(next, recording.before(next, this.reach)).catch(() => {});
    if (isAtEnd) this.pause();
  }

  /** @param {{turn: number, count: number}} before */
  eventsSince({ turn, count }) {
    const from = turn === this.at.turn ? count : 0;
    return this.recording.moments(this.at.turn).slice(from, this.at.count);
  }

  /**
   * @param {number} turn
   * @param {number} count
   * @param {number} time
   */
  show(turn, count, time) {
    const { view, at, recording } = this;
    if (turn < at.turn || (turn === at.turn && count < at.count))
      view.forget(recording.turns.slice(turn, at.turn + 1).map(({ id }) => id));
    this.at = { turn, count, time };
    fixClock(time);
    const drawn = `${turn} ${count} ${this.reach}`;
    if (this.drawn !== drawn) this.render(drawn);
    tickTools(view.log);
    tickFeet(view.log);
  }

  /** @param {string} drawn */
  render(drawn) {
    const { turn, count } = this.at;
    this.state = this.recording.state(turn, count, this.before);
    this.drawn = this.view.render(this.state, []) ? drawn : null;
    this.view.log.ariaBusy = String(this.drawn === null);
    this.markRunning();
    this.markWaits();
    if (this.drawn === null) this.next();
  }

  // A call that runs has been running since its moment, not since it was first shown.
  markRunning() {
    for (const element of all(this.view.log, "[data-since]")) {
      const call = around(element, "[data-key]").dataset.key?.slice("call:".length) ?? "";
      element.dataset.since = String(this.recording.callStart(this.at.turn, call) ?? this.at.time);
    }
  }

  markWaits() {
    for (const element of all(this.view.log, "[data-waited]")) delete element.dataset.waited;
    /** @type {Map<string, number>} */
    const waited = new Map();
    const from = this.recording.turns[this.before[0] ?? this.at.turn].begin;
    for (const { begin, end, key } of this.timeline.shortened)
      if (end >= from && end <= this.at.time) waited.set(key, (waited.get(key) ?? 0) + end - begin);
    for (const [key, ms] of waited) {
      const element = this.view.elements.get(key);
      if (element) element.dataset.waited = `${duration(ms)} of waiting, shortened`;
    }
  }
}
