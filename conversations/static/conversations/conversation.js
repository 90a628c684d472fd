/**
 * A conversation's page: events come in through the socket, go through the reducer, and are shown once a frame.
 */
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { copyOnClick } from "./copy.js";
import { Follow } from "./follow.js";
import { tick as tickFeet } from "./foot.js";
import { hydrate } from "./hydrate.js";
import { loadOlder } from "./older.js";
import { Outbox } from "./outbox.js";
import { position, prepend, reduce, runningTurn } from "./reducer.js";
import { Socket } from "./socket.js";
import { tick as tickTools } from "./tool.js";
import { View } from "./view.js";

const TICK_MS = 200;
const QUIET_MS = 1500; // a connection that is back sooner was never missed

const find = (id) => document.getElementById(id);
const page = find("conversation");
const log = find("transcript");

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
  if (state.title === null || find("title").textContent === state.title) return;
  find("title").textContent = state.title;
  document.title = `${state.title} · Turntable`;
  document.querySelector("nav [aria-current=page]")?.replaceChildren(state.title);
}

function showWayBack() {
  find("older").hidden = !state.before;
  if (state.before) find("older").search = new URLSearchParams({ before: state.before });
}

const STATUSES = {
  open: () => composer.deliverAll(),
  lost: () => {},
  "signed-out": () => location.assign(page.dataset.login),
  gone: () => composer.close("This conversation is not here any more."),
};

function connectionChanged(status) {
  clearTimeout(connectionChanged.timer);
  const tell = () => (find("connection").textContent = status === "lost" ? "Reconnecting…" : "");
  if (status === "lost") connectionChanged.timer = setTimeout(tell, QUIET_MS);
  else tell();
  STATUSES[status]();
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
  const answers = state.messages.filter(({ role, content }) => role === "assistant" && content);
  const texts = answers.filter(({ metadata }) => `turn:${metadata.turn}` === key);
  return texts.map(({ content }) => content).join("\n\n");
}

find("older").addEventListener("click", showOlder);
copyOnClick(textToCopy, (sentence) => announcer.say(sentence));
setInterval(() => {
  tickTools(log);
  tickFeet(log);
}, TICK_MS);
socket.connect();
show();
