/**
 * A conversation's page: events come in through the socket, go through the reducer, and are shown once a frame.
 */
import { listen } from "../cards/acting.js";
import { Announcer } from "../transcript/announcer.js";
import { Branches } from "./branches.js";
import { setClock } from "../lib/clock.js";
import { Composer } from "../composer/composer.js";
import { showConnection } from "./connection.js";
import { copyOnClick, textToCopy } from "../lib/copy.js";
import { totalsInWords } from "../transcript/cost.js";
import { Draft } from "../composer/drafts.js";
import { Editing } from "../composer/editing.js";
import { Follow } from "../transcript/follow.js";
import { tick as tickFeet } from "../transcript/foot.js";
import { hydrate } from "../transcript/hydrate.js";
import { questionOf, sections, turnUnderWay } from "../transcript/layout.js";
import { visible } from "../text/markdown.js";
import { loadOlder, whenNear } from "../transcript/older.js";
import { Outbox } from "../composer/outbox.js";
import { Prompts } from "../composer/prompts.js";
import { Queue } from "../composer/queue.js";
import { position, prepend, reduce } from "../transcript/reducer.js";
import { lineHeard, lineLost, lineOpened } from "../transcript/silence.js";
import { Socket } from "./socket.js";
import { tick as tickTools } from "../cards/tool.js";
import { View } from "../transcript/view.js";

const TICK_MS = 200;
const PACE_MS = 1000; // between messages, after the server has found them too many

const find = (id) => document.getElementById(id);
const page = find("conversation");
const log = find("transcript");
const given = (name, otherwise) => JSON.parse(page.dataset[name] || "null") ?? otherwise;

setClock(Number(page.dataset.now));
let state = { ...hydrate(document), totals: given("totals", {}) };
let asked = false;

const view = new View(log);
const follow = new Follow(find("jump"), log);
const announcer = new Announcer(find("announcer"));
const say = (sentence) => announcer.say(sentence);
const outbox = new Outbox(page.dataset.id);

const socketURL = new URL(page.dataset.socket, location.href);
socketURL.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new Socket(socketURL.href, { cursor: () => state.cursor, receive, changed: connectionChanged });
const send = (frame) => socket.send(frame);

const draft = new Draft(page.dataset.id, page.dataset.draft ?? "", { send, changed: () => composer.showDraft() });
const composer = new Composer(find("composer"), { outbox, draft, send, changed: toNewest });
const editing = new Editing({ send, done: sent, giveBack: (text) => composer.giveBack(text) });
const queue = new Queue({ ask, giveBack: (text) => composer.textarea.value.trim() || composer.giveBack(text), say });
const branches = new Branches(find("models"), given("models", []), { ask, asked: sent });
new Prompts(composer.textarea, find("prompts"), given("prompts", []), { put: (text) => composer.write(text), say });

const hearCards = listen(log, { send, say });

// What is asked for at once or not at all: a message is kept until it can be sent, this is not.
function ask(frame) {
  const isSent = send(frame);
  composer.refuse(isSent ? "" : "Not done: there is no connection.");
  return isSent;
}

function toNewest() {
  follow.following = true;
  refresh();
}

function sent() {
  composer.textarea.focus({ preventScroll: true });
  toNewest();
}

function receive(event) {
  const at = position(state, event);
  lineHeard();
  if (at === "gap") return false;
  if (at === "old") return true;
  state = reduce(state, event);
  announcer.hear(event, state);
  if (!hearCards(event) && event.type === "CUSTOM") ASIDES[event.name]?.(event.value);
  if (state.stale) queueMicrotask(restart);
  refresh();
  return true;
}

const ASIDES = {
  "turntable.refused": (refusal) => editing.refused(refusal) || composer.refused(refusal),
  "turntable.draft": ({ text }) => draft.told(text),
  "turntable.branch": ({ turn }) => turn === (state.turns.at(-1)?.id ?? null) || queueMicrotask(restart),
};

// Once: what comes before the snapshot belongs to what is shown still.
function restart() {
  if (!socket.afresh) socket.restart();
}

function refresh() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    show();
  });
}

function show() {
  const focused = log.contains(document.activeElement) && document.activeElement;
  outbox.settle(state);
  const complete = view.render(state, outbox.messages);
  composer.show(turnUnderWay(state));
  editing.settle(state);
  queue.settle(state);
  branches.settle(log, say);
  showTitle();
  find("totals").textContent = totalsInWords(state.totals);
  find("welcome").hidden = log.childElementCount > 0;
  showWayBack();
  if (focused && !isInSight(document.activeElement)) log.focus({ preventScroll: true });
  follow.settle();
  if (!complete) refresh();
}

// The focus of what has vanished is the body's, or still that of what is hidden.
const isInSight = (element) => element !== document.body && element.checkVisibility();

function showTitle() {
  const title = state.title && visible(state.title);
  if (!title || find("title").textContent === title) return;
  find("title").textContent = title;
  document.title = `${title} · Turntable`;
  document.querySelector("nav [aria-current=page]")?.replaceChildren(title);
}

function showWayBack() {
  find("older").hidden = !state.before;
  if (state.before) find("older").search = new URLSearchParams({ before: state.before });
}

function connectionChanged(status) {
  showConnection(page, status);
  if (status === "gone") composer.close("This conversation is not here any more.");
  if (status !== "open") {
    lineLost();
    return draft.lost();
  }
  lineOpened();
  composer.deliverAll(socket.slower > 1 ? PACE_MS : 0);
  editing.deliver();
  draft.opened();
}

// Asked for by the link, or without an event as the reader comes near it: then a failure is no news.
async function showOlder(event) {
  event?.preventDefault();
  const { href } = find("older");
  try {
    state = prepend(state, await loadOlder(href));
  } catch (error) {
    if (!event) throw error;
    return location.assign(href); // there the browser says what is wrong
  }
  follow.holding(show);
  say("Earlier messages are shown.");
  if (event && !state.before) log.focus({ preventScroll: true });
}

const ACTIONS = {
  continue: () => composer.say("Continue."),
  again: () => branches.regenerate(),
  regenerate: () => branches.regenerate(),
  previous: ({ turn }) => branches.show(turn, -1, "previous"),
  next: ({ turn }) => branches.show(turn, 1, "next"),
  edit: (section, button) => editing.begin(button.closest("article"), questionOf(section.blocks)),
  withdraw: ({ blocks }) => queue.withdraw(blocks[0].message),
};

function actOnClick({ target }) {
  const button = target.closest("[data-do]");
  if (!button) return;
  const { key } = button.closest(".turn").dataset;
  const section = sections(state, outbox.messages).find((each) => each.key === key);
  if (["previous", "next"].includes(button.dataset.do)) follow.following = false;
  if (section) ACTIONS[button.dataset.do](section, button);
}

find("older").addEventListener("click", showOlder);
log.addEventListener("click", actOnClick);
copyOnClick((button) => textToCopy(button, state), say);
setInterval(() => {
  tickTools(log);
  tickFeet(log);
}, TICK_MS);
socket.connect();
refresh();
whenNear(find("older"), showOlder);
