/**
 * The page of the player: its controls, its keys, its addresses.
 */
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { Announcer } from "../transcript/announcer.js";
import { Follow } from "../transcript/follow.js";
import { View } from "../transcript/view.js";
import { Player } from "./player.js";
import { SPEEDS } from "./playhead.js";
import { Recording } from "./recording.js";
import { addressOf, clockTime, momentsOfNote, nameOf, Scrubber } from "./scrubber.js";

const find = (id) => document.getElementById(id);
const page = find("conversation");
const log = find("transcript");
const announcer = new Announcer(find("announcer"));
const idle = window.requestIdleCallback ?? setTimeout;

function fail(reason) {
  find("refusal").textContent = reason;
  find("refusal").hidden = false;
}

async function open() {
  const recording = await Recording.of(page.dataset.replay);
  find("loading").hidden = true;
  find("under-way").hidden = !recording.running.length;
  if (!recording.turns.length) {
    find("nothing").hidden = false;
    return;
  }
  new Controls(recording);
  find("player").hidden = false;
}

class Controls {
  constructor(recording) {
    this.recording = recording;
    this.noted = momentsOfNote(recording.turns);
    this.follow = new Follow(find("jump"), log);
    this.player = new Player(recording, new View(log), (what, told) => this.changed(what, told));
    this.scrubber = new Scrubber(find("track"), {
      seek: (position) => this.goTo(() => this.player.seek(position)),
      describe: () => this.describe(),
    });
    this.scrubber.draw(this.noted, this.player.timeline);
    this.listen();
    this.openAt();
  }

  listen() {
    find("play").addEventListener("click", () => this.toggle());
    find("speed").addEventListener("change", () => this.player.setSpeed(Number(find("speed").value)));
    find("skipping").addEventListener("change", () => this.skip(find("skipping").checked));
    find("player").addEventListener("click", ({ target }) =>
      this.stepBy(target.closest("[data-step]")?.dataset),
    );
    find("contents").addEventListener("toggle", () => this.list(), { once: true });
    find("earlier").addEventListener("click", () =>
      this.player.showEarlier((change) => this.follow.holding(change)),
    );
    addEventListener("hashchange", () => this.jump());
    document.addEventListener("click", (event) => this.jumpAgain(event));
    document.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("visibilitychange", () => this.hide(document.hidden));
    copyOnClick(
      (button) => textToCopy(button, this.player.state),
      (said) => announcer.say(said),
    );
  }

  async openAt() {
    if (!(await this.jump())) await this.player.goTo(this.recording.turns[0].begin);
    if (new URLSearchParams(location.search).has("play")) this.player.play();
    else find("play").focus({ preventScroll: true });
    const unseen = new View(document.createElement("div"));
    idle(() => this.player.rehearse(unseen).catch(() => {})); // what fails is told when it is asked for
  }

  // -- what has changed

  changed(what, told) {
    if (what === "failed") return fail(told);
    if (what === "applied") for (const { event } of told) announcer.hear(event, this.player.state);
    if (what === "playing") find("play").textContent = this.player.wanted ? "Pause" : "Play";
    this.show();
    return page.dispatchEvent(
      new CustomEvent(what, { detail: { moments: told, position: this.player.playhead.position } }),
    );
  }

  show() {
    const { at, playhead, timeline } = this.player;
    const { position } = playhead;
    text(find("elapsed"), clockTime(position));
    text(find("total"), clockTime(timeline.length));
    text(find("place"), this.place());
    text(
      find("moment"),
      new Date(at.time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }),
    );
    find("earlier").hidden = !this.player.hasEarlier;
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
    if (this.player.wanted) this.player.pause();
    else this.player.play();
  }

  hide(hidden) {
    if (hidden) this.player.playhead.pause();
    else if (this.player.wanted) this.player.play();
  }

  goTo(go) {
    this.follow.following = true;
    return go();
  }

  skip(skipping) {
    find("skipping").checked = skipping;
    this.player.setSkipping(skipping);
    this.scrubber.draw(this.noted, this.player.timeline);
    this.player.next();
    this.show();
  }

  speedUp(by) {
    const at = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.player.playhead.speed) + by));
    find("speed").value = SPEEDS[at];
    this.player.setSpeed(SPEEDS[at]);
    announcer.say(`Speed ${SPEEDS[at]} times.`);
  }

  async stepBy(asked) {
    if (!asked) return;
    const by = Number(asked.by);
    await this.goTo(() =>
      asked.step === "event" ? this.player.step(by) : this.player.leap(this.times(asked.step), by),
    );
    announcer.say(`${this.describe()}.`);
  }

  times(kind) {
    return this.noted.filter((one) => one.kind === kind).map(({ at }) => at);
  }

  press(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target.closest("select, textarea, [contenteditable]")
    )
      return;
    const key = event.key.toLowerCase();
    const step = { e: "event", r: "round", t: "turn" }[key];
    if (key === " ") return this.pressSpace(event);
    if (step) this.stepBy({ step, by: event.shiftKey ? -1 : 1 });
    else if (key === "s") this.skip(!this.player.skipping);
    else if (key === "+" || key === "=") this.speedUp(1);
    else if (key === "-") this.speedUp(-1);
    return undefined;
  }

  // What has a use for the space bar of its own keeps it.
  pressSpace(event) {
    if (event.target.closest("button, summary, a, input[type=checkbox]")) return;
    event.preventDefault();
    if (!event.repeat) this.toggle();
  }

  // -- addresses

  /** Goes where the address says; false where it says nothing. */
  async jump() {
    const [, kind, value] = /^#(turn|call|at)-(.+)$/.exec(decodeURIComponent(location.hash)) ?? [];
    const found = kind && this.noted.find((one) => FOUND[kind](one, value));
    if (!kind || (!found && kind !== "at")) return false;
    await this.goTo(() => this.player.goTo(found ? found.at : Number(value), found?.turn));
    return true;
  }

  // An address that is there already is no news to the browser.
  jumpAgain({ target }) {
    const hash = target.closest("a[href*='#']")?.hash;
    if (hash && hash === location.hash) this.jump();
  }

  list() {
    find("contents")
      .querySelector("ol")
      .replaceChildren(...this.noted.map((one) => this.entry(one)));
  }

  entry(noted) {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    item.className = noted.kind;
    link.href = addressOf(noted);
    link.textContent = nameOf(noted);
    return item;
  }
}

const FOUND = {
  turn: ({ kind, number, id }, value) => kind === "turn" && (String(number) === value || id === value),
  call: ({ kind, call }, value) => kind === "call" && call === value,
  at: () => false,
};

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

open().catch((error) => fail(error.message));
