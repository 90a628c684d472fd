/**
 * What stands below a turn: why it ended as it did, what can be done about it, and what it waits for.
 */
import { serverNow } from "./clock.js";
import { visible } from "./markdown.js";

const page = document.getElementById("conversation")?.dataset ?? {};
const words = JSON.parse(page.sentences ?? "{}");

/** A quiet sentence about how the turn ended, "" where there is nothing to say; `answered` if text stands at its end. */
export function notice({ status, stopReason }, answered) {
  if (status === "stopped" || status === "waiting") return words.turn[status];
  if (["queued", "running", "sending"].includes(status)) return "";
  const told = words.stopReason[stopReason ?? ""] ?? words.turn.unknown.replace("REASON", () => visible(stopReason));
  return told || (answered || status !== "completed" ? "" : words.turn.nothing);
}

/** What the turn is doing now, or null. */
export function doing(turn, last) {
  if (turn.status === "queued") return "Queued";
  if (turn.status === "sending") return "Sending";
  if (turn.status !== "running") return null;
  return turn.retrying ? tryingAgain(turn.retrying) : working(last);
}

/** What failed, when the next attempt begins, and which it is. */
export function tryingAgain({ code, at, seconds, attempt, of }) {
  const why = words.retrying[code ?? ""] ?? words.retrying[""];
  const left = at ? Math.min(seconds, (at - serverNow()) / 1000 + Number(seconds)) : seconds;
  const when = left > 0 ? ` in ${Math.ceil(left)} s` : "";
  return `${why} Trying again${when} (${attempt} of ${of})`;
}

function working(last) {
  if (last?.kind === "tool") return last.message.metadata.open ? "Writing a tool call" : "Working";
  if (last?.message.metadata.open) return last.kind === "reasoning" ? "Thinking" : "Writing";
  return "Waiting for the model";
}

/** Brings a turn's foot in line with it. */
export function drawFoot(foot, { turn, parts, blocks, offers, goesOn }) {
  const last = parts.at(-1);
  line(foot, "failure", turn.error && visible(turn.error.message), "alert");
  line(foot, "notice", notice(turn, goesOn || last?.kind === "assistant"));
  countDown(line(foot, "doing", doing(turn, last?.kind && last)), turn.status === "running" && turn.retrying);
  drawActions(foot.querySelector(".actions"), offers, isCopied(turn, blocks));
  linkToPlayback(foot.querySelector("[data-play]"), turn);
  foot.querySelector(".actions").hidden = turn.status === "running" || !turn.id;
}

function linkToPlayback(link, turn) {
  link.hidden = !turn.id || turn.status === "running";
  if (!link.hidden) link.href = `${page.replay}#turn-${turn.id}`;
}

const isCopied = (turn, blocks) =>
  turn.status !== "running" && blocks.some(({ kind, message }) => kind === "assistant" && !message.metadata.open);

function drawActions(actions, offers, copied) {
  for (const button of actions.querySelectorAll("[data-say]")) button.hidden = !offers.includes(button.dataset.say);
  actions.querySelector("[data-copy]").hidden = !copied;
}

function line(foot, name, text, role) {
  const old = foot.querySelector(`.${name}`);
  if (!text) return void old?.remove();
  const element = old ?? foot.insertBefore(document.createElement("p"), foot.lastElementChild);
  element.className = name;
  if (role) element.setAttribute("role", role);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

function countDown(element, retrying) {
  if (!element) return;
  if (retrying) element.dataset.retrying = JSON.stringify(retrying);
  else delete element.dataset.retrying;
}

/** Counts down to the next attempt. */
export function tick(root) {
  for (const element of root.querySelectorAll("[data-retrying]")) {
    const text = tryingAgain(JSON.parse(element.dataset.retrying));
    if (element.textContent !== text) element.textContent = text;
  }
}
