/**
 * The files that a message was sent with: a picture with its thumbnail, any other by its name. The server makes the same elements.
 */
import { create } from "../lib/dom.js";
import { sizeInWords, visible } from "../lib/format.js";

/** Where a file can be fetched. */
export const addressOf = ({ id }) => `/attachments/${id}/`;

/** What a file is, and its size. */
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
  if (list && (list.dataset.ids ?? key) === key) return;
  list?.remove();
  if (!files?.length) return;
  const drawn = create("ul", "files", ...files.map(drawFile));
  drawn.setAttribute("aria-label", "Attached files");
  drawn.dataset.ids = key;
  element.prepend(drawn);
}

function drawFile(file) {
  const name = create("a", "file-name", visible(file.name));
  name.href = addressOf(file);
  name.download = "";
  name.dir = "auto";
  const about = create("span", "file-about", aboutFile(file));
  return create("li", "file", ...(file.kind === "image" ? [drawThumbnail(file)] : []), name, about);
}

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
