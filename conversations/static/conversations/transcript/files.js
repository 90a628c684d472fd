/**
 * The files that a message was sent with: a picture with its thumbnail, any other by its name. The server makes the same elements.
 */
import { button, byId, create, setText } from "../lib/dom.js";
import { sizeInWords, visible } from "../lib/format.js";
import { addressOfApp } from "../lib/page.js";

/**
 * Where a file can be fetched.
 * @param {AttachedFile} file
 */
export const addressOf = ({ id }) => addressOfApp(`attachments/${id}/`);

/**
 * What a file is, and its size.
 * @param {AttachedFile} file
 */
export const aboutFile = ({ format, size }) => `${format.toUpperCase()}, ${sizeInWords(size)}`;

/**
 * Puts the list of a message's files before its text, unless it is there.
 * @param {HTMLElement} element
 * @param {AttachedFile[]} [files]
 */
export function drawFiles(element, files) {
  /** @type {HTMLElement | null} */
  const list = element.querySelector(".files");
  const key = (files ?? []).map(({ id }) => id).join(" ");
  if (list && (list.dataset.ids ?? key) === key) return offerToLeaveOut(list, files);
  list?.remove();
  if (!files?.length) return;
  const drawn = create("ul", "files", ...files.map(drawFile));
  drawn.setAttribute("aria-label", "Attached files");
  drawn.dataset.ids = key;
  element.prepend(drawn);
  offerToLeaveOut(drawn, files);
}

/**
 * Adds the switches by which files stay out of later turns, on the page that says which do.
 * @param {HTMLElement} list
 * @param {AttachedFile[]} [files]
 */
function offerToLeaveOut(list, files = []) {
  const log = byId("transcript");
  if (!log?.dataset.leftOut || !byId("attached") || list.querySelector(".leave-out")) return;
  const leftOut = new Set(JSON.parse(log.dataset.leftOut));
  files.forEach((file, at) => {
    list.children[at]?.append(switchOf(file, leftOut.has(file.id)));
  });
}

/**
 * @param {AttachedFile} file
 * @param {boolean} isOut
 */
function switchOf(file, isOut) {
  const element = button("quiet leave-out", "", () => toggle(element, file));
  element.title = "Later turns are sent without it: this saves tokens.";
  mark(element, file, isOut);
  return element;
}

/** @type {(element: HTMLElement, file: AttachedFile, isOut: boolean) => void} */
function mark(element, { name }, isOut) {
  setText(element, isOut ? "Left out of later turns" : "Leave out of later turns");
  element.setAttribute("aria-label", `${element.textContent}: ${visible(name)}`);
  element.setAttribute("aria-pressed", String(isOut));
}

/**
 * @param {HTMLElement} element
 * @param {AttachedFile} file
 */
async function toggle(element, file) {
  const isOut = element.getAttribute("aria-pressed") !== "true";
  const { token = "" } = byId("attached").dataset;
  const body = new URLSearchParams({ left_out: isOut ? "1" : "0" });
  const answer = await fetch(addressOf(file), { method: "POST", body, headers: { "X-CSRFToken": token } });
  if (!answer.ok) return;
  mark(element, file, isOut);
  const log = byId("transcript");
  /** @type {string[]} */
  const ids = JSON.parse(log.dataset.leftOut ?? "[]");
  const others = ids.filter((id) => id !== file.id);
  log.dataset.leftOut = JSON.stringify(isOut ? [...others, file.id] : others);
}

/** @param {AttachedFile} file */
function drawFile(file) {
  const name = create("a", "file-name", visible(file.name));
  name.href = addressOf(file);
  name.download = "";
  name.dir = "auto";
  const about = create("span", "file-about", aboutFile(file));
  return create("li", "file", ...(file.kind === "image" ? [drawThumbnail(file)] : []), name, about);
}

/** @param {AttachedFile} file */
function drawThumbnail(file) {
  const image = create("img");
  image.alt = "";
  image.decoding = "async";
  image.src = `${addressOf(file)}?thumbnail`;
  const link = create("a", "large", image);
  link.href = `${addressOf(file)}?large`;
  link.target = "_blank";
  link.rel = "noopener";
  link.setAttribute("aria-label", `Open ${visible(file.name)}`);
  return link;
}
