/**
 * The page of the player: its controls, its keys, its addresses.
 */

import { openCall } from "../cards/tool.js";
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { byId, closestTo, inside, setText } from "../lib/dom.js";
import { showTime } from "../lib/times.js";
import { readingActions } from "../shortcuts/acting.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { Announcer } from "../transcript/announcer.js";
import { Follow } from "../transcript/follow.js";
import { View } from "../transcript/view.js";
import { Player } from "./player.js";
import { SPEEDS } from "./playhead.js";
import { Recording } from "./recording.js";
import { addressOf, clockTime, landmarksOf, momentAt, nameOf, Scrubber } from "./scrubber.js";

/** @typedef {import("./scrubber.js").Landmark} Landmark */

/** @type {Record<string, string>} */
const STEPS = { e: "event", r: "round", t: "turn" };

const page = byId("conversation");
const log = byId("transcript");
const announcer = new Announcer(byId("announcer"));
const idle = window.requestIdleCallback ?? setTimeout;

/** @param {string} reason */
function fail(reason) {
  byId("refusal").textContent = reason;
  byId("refusal").hidden = false;
}

async function open() {
  const recording = await Recording.of(page.dataset.replay ?? "");
  byId("loading").hidden = true;
  byId("under-way").hidden = !recording.running.length;
  if (!recording.turns.length) {
    byId("nothing").hidden = false;
    return;
  }
  new Controls(recording);
  byId("player").hidden = false;
}

class Controls {
  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    this.landmarks = landmarksOf(recording.turns);
    this.follow = new Follow(byId("jump"), log);
    this.player = new Player(recording, new View(log), (...news) => this.changed(news));
    this.scrubber = new Scrubber(byId("track"), {
      seek: (position) => this.goTo(() => this.player.seek(position)),
      describe: () => this.describe(),
    });
    this.scrubber.draw(this.landmarks, this.player.timeline);
    this.listen();
    this.openAt();
  }

  listen() {
    byId("play").addEventListener("click", () => this.toggle());
    byId("speed").addEventListener("change", () => this.player.setSpeed(Number(byId("speed").value)));
    byId("skipping").addEventListener("change", () => this.skip(byId("skipping").checked));
    byId("player").addEventListener("click", (event) =>
      this.stepBy(closestTo(event, "[data-step]")?.dataset),
    );
    byId("contents").addEventListener("toggle", () => this.list(), { once: true });
    byId("earlier").addEventListener("click", () =>
      this.player.showEarlier((change) => this.follow.holding(change)),
    );
    addEventListener("hashchange", () => this.jump());
    document.addEventListener("click", (event) => this.jumpAgain(event));
    document.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("visibilitychange", () => this.hide(document.hidden));
    /** @type {Say} */
    const say = (sentence) => announcer.say(sentence);
    copyOnClick((button) => textToCopy(button, this.player.state), say);
    listenToShortcuts(readingActions(log, say));
  }

  async openAt() {
    if (!(await this.jump())) await this.player.goTo(this.recording.turns[0].begin);
    if (new URLSearchParams(location.search).has("play")) this.player.play();
    else byId("play").focus({ preventScroll: true });
    const unseen = new View(document.createElement("div"));
    idle(() => this.player.rehearse(unseen).catch(() => {})); // a failure shows when the reader goes there
  }

  // -- what has changed

  /** @param {import("./player.js").PlayerNews} news */
  changed(news) {
    const [what, detail] = news;
    if (what === "failed") return fail(detail);
    if (what === "applied") for (const { event } of detail) announcer.hear(event, this.player.state);
    if (what === "playing") byId("play").textContent = this.player.isPlaying ? "Pause" : "Play";
    this.show();
    return page.dispatchEvent(
      new CustomEvent(what, { detail: { moments: detail, position: this.player.playhead.position } }),
    );
  }

  show() {
    const { at, playhead, timeline } = this.player;
    const { position } = playhead;
    setText(byId("elapsed"), clockTime(position));
    setText(byId("total"), clockTime(timeline.length));
    setText(byId("place"), this.place());
    showTime(byId("moment"), at.time);
    byId("earlier").hidden = !this.player.hasEarlier;
    this.scrubber.show(position);
    if (!playhead.playing) this.scrubber.tell();
    this.follow.settle();
  }

  place() {
    const { turn } = this.player.at;
    return `Turn ${turn + 1} of ${this.recording.turns.length}`;
  }

  describe() {
    const { playhead, timeline } = this.player;
    return `${clockTime(playhead.position)} of ${clockTime(timeline.length)}, ${this.place()}`;
  }

  // -- what the reader does

  toggle() {
    if (this.player.isPlaying) this.player.pause();
    else this.player.play();
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    if (hidden) this.player.playhead.pause();
    else if (this.player.isPlaying) this.player.play();
  }

  /** @param {() => Promise<void>} go */
  goTo(go) {
    this.follow.following = true;
    return go();
  }

  /** @param {boolean} skipping */
  skip(skipping) {
    byId("skipping").checked = skipping;
    this.player.setSkipping(skipping);
    this.scrubber.draw(this.landmarks, this.player.timeline);
    this.player.next();
    this.show();
  }

  /** @param {number} by */
  speedUp(by) {
    const at = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.player.playhead.speed) + by));
    byId("speed").value = String(SPEEDS[at]);
    this.player.setSpeed(SPEEDS[at]);
    announcer.say(`Speed ${SPEEDS[at]} times.`);
  }

  /** @param {{step?: string, by?: string | number} | undefined} target */
  async stepBy(target) {
    if (!target) return;
    const by = Number(target.by);
    await this.goTo(() =>
      target.step === "event" ? this.player.step(by) : this.player.leap(this.times(target.step ?? ""), by),
    );
    announcer.say(`${this.describe()}.`);
  }

  /** @param {string} kind */
  times(kind) {
    return this.landmarks.filter((one) => one.kind === kind).map(({ at }) => at);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      closestTo(event, "select, textarea, dialog, [contenteditable]")
    )
      return;
    const key = event.key.toLowerCase();
    const step = STEPS[key];
    if (key === " ") return this.pressSpace(event);
    if (step) this.stepBy({ step, by: event.shiftKey ? -1 : 1 });
    else if (key === "s") this.skip(!this.player.skipping);
    else if (key === "+" || key === "=") this.speedUp(1);
    else if (key === "-") this.speedUp(-1);
    return undefined;
  }

  /**
   * Plays or pauses, unless what has the focus uses the space bar itself.
   * @param {KeyboardEvent} event
   */
  pressSpace(event) {
    if (closestTo(event, "button, summary, a, input[type=checkbox]")) return;
    event.preventDefault();
    if (!event.repeat) this.toggle();
  }

  // -- addresses

  /** Goes where the address says; false where it says nothing. */
  async jump() {
    const moment = momentAt(location.hash, this.landmarks);
    if (!moment) return false;
    await this.goTo(() => this.player.goTo(moment.at, moment.turn));
    if (moment.call) await this.openCall(moment.call);
    return true;
  }

  /**
   * Opens the card of a call, which may be drawn in a later frame.
   * @param {string} id
   */
  async openCall(id) {
    while (!openCall(log, id) && this.player.drawn === null) await nextFrame();
  }

  /**
   * Goes to an address that is there already, which is no news to the browser.
   * @param {MouseEvent} event
   */
  jumpAgain(event) {
    /** @type {HTMLAnchorElement | null} */
    const link = closestTo(event, "a[href*='#']");
    if (link?.hash && link.hash === location.hash) this.jump();
  }

  list() {
    inside(byId("contents"), "ol").replaceChildren(...this.landmarks.map((one) => this.entry(one)));
  }

  /** @param {Landmark} landmark */
  entry(landmark) {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    item.className = landmark.kind;
    link.href = addressOf(landmark);
    link.textContent = nameOf(landmark);
    return item;
  }
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

open().catch((error) => fail(error.message));
