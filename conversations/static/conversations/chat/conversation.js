/**
 * A conversation's page: events come in through the socket, go through the reducer, and are shown once a frame.
 */
import { CallRequests } from "../cards/requests.js";
import { tick as tickTools } from "../cards/tool.js";
import { Composer } from "../composer/composer.js";
import { Draft } from "../composer/drafts.js";
import { Editing, Queue } from "../composer/editing.js";
import { Options } from "../composer/options.js";
import { Outbox } from "../composer/outbox.js";
import { Prompts } from "../composer/prompts.js";
import { offerSecond } from "../composer/two.js";
import { setClock } from "../lib/clock.js";
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { whenNear } from "../lib/documents.js";
import { around, byId, closeOnLeaving, closestTo, inside } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { nameTab } from "../lib/tab.js";
import { chattingActions } from "../shortcuts/acting.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { Announcer } from "../transcript/announcer.js";
import { totalsInWords } from "../transcript/cost.js";
import { Follow } from "../transcript/follow.js";
import { tick as tickFeet } from "../transcript/foot.js";
import { hydrate, loadOlder } from "../transcript/hydrate.js";
import { questionOf, sections, turnUnderWay } from "../transcript/layout.js";
import { openMore } from "../transcript/more.js";
import { position, prepend, reduce } from "../transcript/reducer.js";
import { lineHeard, lineLost, lineOpened } from "../transcript/silence.js";
import { View } from "../transcript/view.js";
import { Branches } from "./branches.js";
import { Connection } from "./connection.js";
import { Socket } from "./socket.js";

/** @typedef {import("./socket.js").ConnectionStatus} ConnectionStatus */

const TICK_MS = 200;
const ASKS = ["message", "edit", "regenerate"];
const PACE_MS = 1000; // between messages, after the server has found them too many

/** The page, from what the server made: its parts, and the state that they show. */
class ConversationPage {
  /**
   * @param {HTMLElement} page
   * @param {HTMLElement} log
   */
  constructor(page, log) {
    this.page = page;
    this.log = log;
    /** @type {State} */
    this.state = { ...hydrate(document), totals: this.pageData("totals", {}) };
    /** @type {string | null} */
    this.title = null;
    this.isDue = false;
    this.isDrawn = new Promise((resolve) => {
      this.drawn = () => resolve(null);
    });
    this.view = new View(log);
    this.follow = new Follow(byId("jump"), log);
    this.announcer = new Announcer(byId("announcer"));
    this.outbox = new Outbox(page.dataset.id ?? "");
    this.socket = new Socket(socketAddress(page.dataset.socket ?? ""), {
      cursor: () => this.state.cursor,
      receive: (event) => this.receive(event),
      changed: (status) => this.connectionChanged(status),
    });
    this.connection = new Connection(page);
    /** @type {Send} */
    const send = (frame) => this.send(frame);
    /** @type {Send} */
    const ask = (frame) => this.ask(frame);
    /** @type {Say} */
    const say = (sentence) => this.say(sentence);
    this.draft = this.newDraft(send);
    this.composer = this.newComposer(send, say);
    this.options = this.newOptions(say);
    this.editing = this.newEditing(send);
    this.queue = this.newQueue(ask, say);
    this.branches = this.newBranches(ask);
    this.requests = new CallRequests(log, { send, say });
  }

  /** @param {Send} send */
  newDraft(send) {
    const { id = "", draft = "" } = this.page.dataset;
    return new Draft(id, draft, { send, changed: () => this.composer.showDraft() });
  }

  /**
   * @param {Send} send
   * @param {Say} say
   */
  newComposer(send, say) {
    const { outbox, draft } = this;
    const composer = new Composer(byId("composer"), { outbox, draft, send, changed: () => this.toNewest() });
    /** @param {string} text */
    const put = (text) => composer.write(text);
    new Prompts(composer.textarea, byId("prompts"), { put, say });
    offerSecond(composer.files);
    return composer;
  }

  /** @param {Say} say */
  newOptions(say) {
    /** @param {string} reason */
    const refuse = (reason) => this.composer.refuse(reason);
    return new Options(inside(document, "form[data-options]"), { say, refuse });
  }

  /** @param {Send} send */
  newEditing(send) {
    /** @param {string} text */
    const giveBack = (text) => this.composer.giveBack(text);
    return new Editing({ send, done: () => this.afterSending(), giveBack });
  }

  /**
   * @param {Send} ask
   * @param {Say} say
   */
  newQueue(ask, say) {
    /** @type {(text: string, files?: AttachedFile[]) => void} */
    const giveBack = (text, files) => this.composer.takeBack(text, files);
    return new Queue({ ask, giveBack, say });
  }

  /** @param {Send} ask */
  newBranches(ask) {
    const [models, names] = [this.pageData("models", []), this.pageData("names", {})];
    return new Branches(byId("models"), models, names, { ask, done: () => this.afterSending() });
  }

  /**
   * @template Value
   * @param {string} name
   * @param {Value} otherwise
   * @returns {Value}
   */
  pageData(name, otherwise) {
    return JSON.parse(this.page.dataset[name] || "null") ?? otherwise;
  }

  /** Begins to follow the conversation. */
  start() {
    setClock(Number(this.page.dataset.now));
    byId("older").addEventListener("click", (event) => this.showOlder(event));
    this.log.addEventListener("click", (event) => this.actOnClick(event));
    openMore(this.log);
    copyOnClick(
      (button) => textToCopy(button, this.state),
      (sentence) => this.say(sentence),
    );
    listenToShortcuts(chattingActions(this.log, this.composer, (sentence) => this.say(sentence)));
    setInterval(() => this.tick(), TICK_MS);
    this.socket.connect();
    this.refresh();
    whenNear(byId("older"), () => this.showOlder());
    const query = new URLSearchParams(location.search);
    if (query.has("at")) this.arrive(query);
  }

  /**
   * Goes to the hit of a search and restores the conversation's own address.
   * @param {URLSearchParams} query
   */
  async arrive(query) {
    this.follow.following = false;
    const { arrive } = await import("../finding/arrival.js");
    await this.isDrawn;
    history.replaceState(null, "", location.pathname);
    await arrive(this.log, query);
  }

  tick() {
    tickTools(this.log);
    tickFeet(this.log);
  }

  /** @param {string} sentence */
  say(sentence) {
    this.announcer.say(sentence);
  }

  // -- what is sent

  /**
   * Sends a frame; a message waits until the settings that its writer sees are stored.
   * @param {Frame} frame
   */
  send(frame) {
    if (ASKS.includes(frame.type)) this.options.save();
    if (!this.options?.saving || !ASKS.includes(frame.type)) return this.socket.send(frame);
    this.options.saving.then(() => this.socket.send(frame));
    return true;
  }

  /**
   * Sends a frame now or not at all: unlike a message it is not kept until it can be sent.
   * @param {Frame} frame
   */
  ask(frame) {
    const isSent = this.send(frame);
    this.composer.refuse(isSent ? "" : "Not done: there is no connection.");
    return isSent;
  }

  toNewest() {
    this.follow.following = true;
    this.refresh();
  }

  afterSending() {
    this.composer.textarea.focus({ preventScroll: true });
    this.toNewest();
  }

  // -- what comes

  /** @param {AguiEvent} event */
  receive(event) {
    const at = position(this.state, event);
    lineHeard();
    if (at === "gap") return false;
    if (at === "old") return true;
    this.state = reduce(this.state, event);
    this.announcer.hear(event, this.state);
    if (!this.requests.hear(event) && event.type === "CUSTOM") this.hearAside(event);
    if (this.state.stale) queueMicrotask(() => this.restart());
    this.refresh();
    return true;
  }

  /**
   * Hands an event that is not of the record to its part of the page.
   * @param {Custom} event
   */
  hearAside({ name, value }) {
    if (name === "turntable.refused") this.editing.refused(value) || this.composer.refused(value);
    if (name === "turntable.settings") this.options.receive(value);
    if (name === "turntable.draft") this.draft.receive(value.text);
    const isOther = name === "turntable.branch" && value.turn !== (this.state.turns.at(-1)?.id ?? null);
    if (isOther) queueMicrotask(() => this.restart());
  }

  // Once: what comes before the snapshot belongs to what is shown still.
  restart() {
    if (!this.socket.needsSnapshot) this.socket.restart();
  }

  /** @param {ConnectionStatus} status */
  connectionChanged(status) {
    this.connection.show(status);
    if (status === "gone") this.composer.close("This conversation is not here any more.");
    if (status !== "open") {
      this.wasLost = true;
      lineLost();
      return this.draft.lost();
    }
    lineOpened();
    if (this.wasLost) this.options.refresh();
    this.composer.deliverStop();
    this.composer.deliverAll(this.socket.slower > 1 ? PACE_MS : 0);
    this.editing.deliver();
    return this.draft.opened();
  }

  // -- what is shown

  refresh() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.show();
    });
  }

  show() {
    const { log, state } = this;
    const focused = log.contains(document.activeElement) && document.activeElement;
    this.outbox.settle(state);
    const complete = this.view.render(state, this.outbox.messages);
    this.composer.show(turnUnderWay(state));
    this.editing.settle(state);
    this.queue.settle(state);
    this.branches.settle(log, (sentence) => this.say(sentence));
    this.showHead();
    byId("welcome").hidden = log.childElementCount > 0;
    if (focused && !isInSight(document.activeElement)) log.focus({ preventScroll: true });
    this.follow.settle();
    if (complete) this.drawn();
    else this.refresh();
  }

  showHead() {
    const { title, totals, before } = this.state;
    if (title && title !== this.title) showTitle(visible(title)); // once: a person may give another
    this.title = title;
    byId("totals").textContent = totalsInWords(totals);
    byId("older").hidden = !before;
    if (before) byId("older").search = String(new URLSearchParams({ before }));
  }

  /**
   * Shows earlier messages: by the link, or without an event as it comes near, when a failure is no news.
   * @param {Event} [event]
   */
  async showOlder(event) {
    event?.preventDefault();
    const { href } = byId("older");
    try {
      const older = await loadOlder(href);
      this.state = prepend(this.state, older); // what has come meanwhile is in it
    } catch (error) {
      if (!event) throw error;
      return location.assign(href); // there the browser says what is wrong
    }
    this.follow.holding(() => this.show());
    this.say("Earlier messages are shown.");
    if (event && !this.state.before) this.log.focus({ preventScroll: true });
    return undefined;
  }

  // -- what the reader does

  /** @param {Event} event */
  actOnClick(event) {
    /** @type {HTMLButtonElement | null} */
    const button = closestTo(event, "[data-do]");
    if (!button) return;
    const { key } = around(button, ".turn").dataset;
    const section = sections(this.state, this.outbox.messages).find((one) => one.key === key);
    if (section) this.act(button, section);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {Section} section
   */
  act(button, { turn, blocks }) {
    const { branches, composer, editing, queue } = this;
    switch (button.dataset.do) {
      case "continue":
        return composer.say("Continue.");
      case "again":
      case "regenerate":
        return branches.regenerate();
      case "edit":
        return editing.begin(around(button, "article"), questionOf(blocks) ?? "");
      case "withdraw":
        return queue.withdraw(blocks[0].message);
      case "previous":
        return this.switchVersion(turn, -1, "previous");
      case "next":
        return this.switchVersion(turn, 1, "next");
      default:
        return undefined;
    }
  }

  /**
   * @param {SectionTurn} turn
   * @param {number} by
   * @param {string} name
   */
  switchVersion(turn, by, name) {
    this.follow.following = false;
    this.branches.show(turn, by, name);
  }
}

/** @param {string} path */
function socketAddress(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * Whether the focus is in sight: that of what has vanished is the body's, or still that of what is hidden.
 * @param {Element | null} element
 */
const isInSight = (element) => element && element !== document.body && (element.checkVisibility?.() ?? true);

/** @param {string} title */
function showTitle(title) {
  if (byId("title").textContent === title) return;
  byId("title").textContent = title;
  nameTab(`${title} · Turntable`);
  document.querySelector("nav [aria-current=page]")?.replaceChildren(title);
}

closeOnLeaving(inside(document, "details.menu"));
new ConversationPage(byId("conversation"), byId("transcript")).start();
