/**
 * A conversation's page: events come in through the socket, go through the reducer, and are shown once a frame.
 */
import { Announcer } from "./announcer.js";
import { setClock } from "./clock.js";
import { Composer } from "./composer.js";
import { copyOnClick } from "./copy.js";
import { Follow } from "./follow.js";
import { tick as tickFeet } from "./foot.js";
import { hydrate } from "./hydrate.js";
import { questionOf, sections } from "./layout.js";
import { visible } from "./markdown.js";
import { loadOlder } from "./older.js";
import { Outbox } from "./outbox.js";
import { position, prepend, reduce, runningTurn } from "./reducer.js";
import { Socket } from "./socket.js";
import { tick as tickTools } from "./tool.js";
import { View } from "./view.js";

const TICK_MS = 200;
const QUIET_MS = 1500; // a connection that is back sooner was never missed
const PACE_MS = 1000; // between messages, after the server has found them too many

const find = (id) => document.getElementById(id);
const page = find("conversation");
const log = find("transcript");

setClock(Number(page.dataset.now));
let state = hydrate(document);
let asked = false;

const view = new View(log);
const follow = new Follow(find("jump"), log);
const announcer = new Announcer(find("announcer"));
const outbox = new Outbox(page.dataset.id);

const socketURL = new URL(page.dataset.socket, location.href);
socketURL.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new Socket(socketURL.href, { cursor: () => state.cursor, receive, changed: connectionChanged });

const composer = new Composer(find("composer"), {
  outbox,
  send: (frame) => socket.send(frame),
  changed: () => {
    follow.following = true;
    refresh();
  },
});

function receive(event) {
  const at = position(state, event);
  if (at === "gap") return false;
  if (at === "old") return true;
  state = reduce(state, event);
  announcer.hear(event, state);
  if (event.name === "turntable.refused") composer.refused(event.value);
  refresh();
  return true;
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
  outbox.settle(state);
  const complete = view.render(state, outbox.messages);
  composer.show(runningTurn(state));
  showTitle();
  find("welcome").hidden = log.childElementCount > 0;
  showWayBack();
  follow.settle();
  if (!complete) refresh();
}

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

const STATUSES = {
  lost: "Offline, will reconnect. What you send waits here until then.",
  flooded: "That was too much at once. Going on more slowly.",
};

function connectionChanged(status) {
  clearTimeout(connectionChanged.timer);
  const tell = () => (find("connection").textContent = STATUSES[status] ?? "");
  if (status === "lost") connectionChanged.timer = setTimeout(tell, QUIET_MS);
  else tell();
  find("signed-out").hidden = status !== "signed-out";
  if (status === "open") composer.deliverAll(socket.slower > 1 ? PACE_MS : 0);
  if (status === "gone") composer.close("This conversation is not here any more.");
}

async function showOlder(event) {
  event.preventDefault();
  try {
    state = prepend(state, await loadOlder(find("older").href));
  } catch {
    return location.assign(find("older").href); // there the browser says what is wrong
  }
  follow.holding(show);
  announcer.say("Earlier messages are shown.");
  if (!state.before) log.focus({ preventScroll: true });
}

function textToCopy(button) {
  if (button.dataset.copy === "code") return button.closest(".code").querySelector("code").textContent;
  const { key } = button.closest(".turn").dataset;
  const answers = state.messages.filter(({ role, content, metadata }) => role === "assistant" && content && !metadata.interrupted);
  const texts = answers.filter(({ metadata }) => `turn:${metadata.turn}` === key);
  return texts.map(({ content }) => content).join("\n\n");
}

// "Try again" asks the newest question once more, "Continue" asks for the rest: both are messages like any other.
function sayOnClick({ target }) {
  const what = target.closest("[data-say]")?.dataset.say;
  if (!what) return;
  const newest = sections(state, []).findLast(({ blocks }) => blocks.length);
  composer.say(what === "again" ? questionOf(newest.blocks) : "Continue.");
}

find("older").addEventListener("click", showOlder);
log.addEventListener("click", sayOnClick);
copyOnClick(textToCopy, (sentence) => announcer.say(sentence));
setInterval(() => {
  tickTools(log);
  tickFeet(log);
}, TICK_MS);
socket.connect();
show();
