/**
 * A turn's foot: why it ended or failed, what it waits for, what can be done about it, and its time and cost.
 */
import { serverNow } from "../lib/clock.js";
import { all, fromTemplate, inside, setText } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { drawFigures } from "./figures.js";
import { isBlock } from "./layout.js";
import { drawMore } from "./more.js";
import { models, replayAddress, sentences } from "./page.js";
import { drawSettings } from "./settings.js";
import { silence, unconfirmed } from "./silence.js";

/**
 * Quiet sentences about a turn's end and about what was lost of it, "" after an ordinary one.
 * @param {SectionTurn} turn
 * @param {boolean | undefined} answered whether text stands at its end
 */
export function notice(turn, answered) {
  const { damaged } = sentences().turn;
  return [ending(turn, answered), turn.rounds?.some((round) => round.damaged) && damaged]
    .filter(Boolean)
    .join(" ");
}

/**
 * @param {SectionTurn} turn
 * @param {boolean | undefined} answered
 */
function ending({ status, stopReason }, answered) {
  const { turn, stopReason: reasons } = sentences();
  if (status === "stopped" || status === "waiting") return turn[status];
  if (["queued", "running", "sending"].includes(status)) return "";
  const sentence =
    reasons[stopReason ?? ""] ?? turn.unknown.replace("REASON", () => visible(stopReason ?? ""));
  return sentence || (answered || status !== "completed" ? "" : turn.nothing);
}

/**
 * What the turn is doing now, or null.
 * @param {SectionTurn} turn
 * @param {Block | undefined} last
 */
export function doing(turn, last) {
  if (turn.status === "queued") return "Queued";
  if (turn.status === "sending") return "Sending";
  if (turn.status !== "running") return null;
  return turn.retrying ? tryingAgain(turn.retrying) : working(last);
}

/**
 * The failure, the time until the next attempt, and its number.
 * @param {Retry} retry
 */
export function tryingAgain({ code, at, seconds, attempt, of }) {
  const { retrying } = sentences();
  const why = retrying[code ?? ""] ?? retrying[""];
  const left = at ? Math.min(seconds, (at - serverNow()) / 1000 + Number(seconds)) : seconds;
  const when = left > 0 ? ` in ${Math.ceil(left)} s` : "";
  return `${why} Trying again${when} (${attempt} of ${of})`;
}

/** @param {Block | undefined} last */
function working(last) {
  if (last?.kind === "server") return "Working";
  if (last?.kind === "tool") return last.message.metadata.open ? "Writing a tool call" : "Working";
  if (last?.message.metadata.open) return last.kind === "reasoning" ? "Thinking" : "Writing";
  return "Waiting for the model";
}

const ANSWERS = ["assistant", "picture"];

/**
 * Brings a turn's foot in line with it.
 * @param {HTMLElement} foot
 * @param {Section} section
 */
export function drawFoot(foot, section) {
  const { turn, parts, blocks, offers, goesOn } = section;
  const last = parts.at(-1);
  drawFailure(foot, turn);
  drawAdjusted(foot, turn);
  drawLine(foot, "notice", notice(turn, goesOn || (last && isBlock(last) && ANSWERS.includes(last.kind))));
  keepStatus(drawLine(foot, "doing", doing(turn, last && isBlock(last) ? last : undefined)), turn);
  drawActions(inside(foot, ".actions"), section, offers.split(" "));
  /** @type {HTMLElement | null | undefined} */
  const edit = foot.parentElement?.querySelector(".you .edit");
  if (edit && blocks.some(({ kind }) => kind === "you")) edit.hidden = !offers.includes("edit");
  drawSettings(foot, section);
  drawFigures(foot, section);
}

/** @param {Section} section */
const isCopied = ({ turn, blocks }) =>
  Boolean(turn.id) && blocks.some(({ kind, message }) => kind === "assistant" && !message.metadata.open);

const OFFERED = ["continue", "again", "withdraw", "regenerate"];

/** @type {(actions: HTMLElement, section: Section, offers: string[]) => void} */
function drawActions(actions, section, offers) {
  const { turn } = section;
  const isOver = Boolean(turn.id) && turn.status !== "running";
  for (const name of OFFERED) inside(actions, `[data-do=${name}]`).hidden = !offers.includes(name);
  const isAskedAgain = offers.includes("regenerate") || offers.includes("again");
  inside(actions, "[data-with]").hidden = models().length < 2 || !isAskedAgain;
  inside(actions, "[data-copy]").hidden = !isOver || !isCopied(section);
  linkToPlayback(inside(actions, "[data-play]"), turn, isOver);
  drawVersions(inside(actions, ".versions"), turn, offers);
  drawMore(inside(actions, ".more"));
  actions.hidden = !isOver && !offers.includes("withdraw");
}

/** @type {(link: HTMLAnchorElement, turn: SectionTurn, isOver: boolean) => void} */
function linkToPlayback(link, turn, isOver) {
  link.hidden = !isOver;
  if (isOver) link.href = `${replayAddress()}#turn-${turn.id}`;
}

/** @type {(span: HTMLElement, turn: SectionTurn, offers: string[]) => void} */
function drawVersions(span, { id, versions = [] }, offers) {
  span.hidden = !offers.includes("versions");
  if (span.hidden) return;
  const at = versions.indexOf(id ?? "");
  inside(span, ".which").textContent = `${at + 1} of ${versions.length}`;
  const free = offers.includes("switch");
  const [previous, next] = all(span, "button");
  previous.disabled = !free || at === 0;
  next.disabled = !free || at === versions.length - 1;
}

/** @type {(foot: HTMLElement, name: string, text: string | null) => HTMLElement | undefined} */
function drawLine(foot, name, text) {
  /** @type {HTMLElement | null} */
  const old = foot.querySelector(`.${name}`);
  if (!text) return void old?.remove();
  const element = old ?? foot.insertBefore(document.createElement("p"), foot.querySelector(".actions"));
  element.className = name;
  if (element.textContent !== text) element.textContent = text;
  return element;
}

/**
 * A status line as it began, and what it is counted on from.
 * @typedef {{text: string} & Pick<SectionTurn, "status" | "retrying" | "at">} StatusLine
 */

/**
 * Stores the inputs of the status line so that tick() can redraw it.
 * @param {HTMLElement | undefined} element
 * @param {SectionTurn} turn
 */
function keepStatus(element, { status, retrying, at }) {
  if (!element) return;
  const text = element.textContent;
  /** @type {StatusLine} */
  const line = { text, status, retrying: status === "running" ? retrying : null, at };
  element.dataset.wait = JSON.stringify(line);
  drawStatus(element);
}

/** @param {HTMLElement} element */
function drawStatus(element) {
  /** @type {StatusLine} */
  const { text, status, retrying, at } = JSON.parse(element.dataset.wait ?? "{}");
  const sentence = retrying ? tryingAgain(retrying) : text + SUFFIXES[status](at);
  if (element.textContent !== sentence) element.textContent = sentence;
}

/** @type {Record<string, (at: number | undefined) => string>} */
const SUFFIXES = { running: silence, sending: unconfirmed, queued: () => "" };

/**
 * Counts down to the next attempt, and on where nothing comes.
 * @param {ParentNode} root
 */
export function tick(root) {
  all(root, "[data-wait]").forEach(drawStatus);
}

/**
 * Brings the failure above a turn's foot in line with the turn.
 * @param {HTMLElement} foot
 * @param {SectionTurn} turn
 */
function drawFailure(foot, { id, error }) {
  /** @type {HTMLElement | null} */
  const old = foot.querySelector(".failed");
  if (!error) return void old?.remove();
  const box = old ?? foot.insertBefore(fromTemplate("failed-template"), foot.firstElementChild);
  const { failed, quote } = sentences();
  const [what, rest] = halves(visible(error.message));
  write(box, ".side", failed[error.code ?? ""] ?? failed[""]);
  write(box, "strong", what);
  inside(box, ".failure").replaceChildren(inside(box, "strong"), rest);
  write(box, ".quoted", quote[error.requestId ? "request" : "turn"]);
  write(box, "code", visible(error.requestId ?? id ?? ""));
  inside(box, "[data-copy]").hidden = false;
}

/**
 * Appends what is new of how the turn was asked again; what is there stays, unfolded or not.
 * @param {HTMLElement} foot
 * @param {SectionTurn} turn
 */
function drawAdjusted(foot, { adjusted = [] }) {
  const old = foot.querySelectorAll(".adjusted");
  for (const { what, why } of adjusted.slice(old.length)) {
    const details = foot.insertBefore(
      fromTemplate("adjusted-template"),
      foot.querySelector(".notice, .doing, .actions"),
    );
    write(details, "summary", visible(what));
    write(details, "q", visible(why));
  }
}

/** @type {(box: HTMLElement, selector: string, text: string) => void} */
const write = (box, selector, text) => setText(inside(box, selector), text);

/**
 * The first sentence, and what follows it.
 * @param {string} text
 */
function halves(text) {
  const end = text.indexOf(". ");
  return end < 0 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 1)];
}
