/**
 * Pictures in a tool's result, in the form that Converse has for them: `{"image": {"format", "source": {"bytes": base64}}}`, and a model's.
 *
 * The former are shown from `data:` addresses, the latter from an address of this server: of these types alone, since SVG may hold script.
 */
import { create, inside } from "../lib/dom.js";
import { sizeInWords } from "../lib/format.js";
import { enlarger } from "../lib/picture.js";

/** @type {Record<string, string>} */
const TYPES = { png: "image/png", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp" };
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const START = /^\s*\{\s*"image"\s*:/;

/**
 * The picture that a JSON text stands for, without its bytes where it is too large to be sent, or null.
 * @param {string} text
 * @returns {{format: string, bytes?: string, size: number} | null}
 */
export function pictureOf(text) {
  if (!START.test(text)) return null;
  try {
    const { format, size, source = {} } = JSON.parse(text).image;
    if (!Object.hasOwn(TYPES, format)) return null;
    if (typeof source.bytes === "string" && BASE64.test(source.bytes))
      return { format, bytes: source.bytes, size: Math.floor((source.bytes.length * 3) / 4) };
    return Number.isInteger(size) ? { format, size } : null;
  } catch {
    return null;
  }
}

/**
 * Draws the picture, with what it is and a way to keep it.
 * @param {{format: string, bytes?: string, size: number}} picture
 * @param {string} tool
 */
export function drawPicture({ format, bytes, size }, tool) {
  if (!bytes)
    return create(
      "p",
      "",
      `A picture, ${sizeOf(format, size)}: too large to be shown here. The export has it.`,
    );
  const source = `data:${TYPES[format]};base64,${bytes}`;
  return figure(source, format, size, `Picture from ${tool}`);
}

/**
 * @param {string} source
 * @param {string} format
 * @param {number} size
 * @param {string} alt
 */
function figure(source, format, size, alt) {
  const image = create("img");
  image.alt = alt;
  image.decoding = "async";
  image.src = source;
  const save = create("a", "quiet", "Save");
  save.href = source;
  save.download = `picture.${format}`;
  const caption = create("figcaption", "", create("span", "", sizeOf(format, size)), enlarger(), save);
  const element = create("figure", "picture", image, caption);
  const tell = () => {
    image.replaceWith(create("p", "", "This picture cannot be shown."));
    inside(caption, "[data-large]").remove();
  };
  image.addEventListener("error", tell, { once: true });
  return element;
}

/**
 * Draws a picture of the model's own, which is at the address once its round has ended.
 * @param {HTMLElement} element
 * @param {ActivityMessage} message
 * @param {string} address of the conversation's pictures
 */
export function drawModelPicture(
  element,
  { content: { format = "", size = 0, sha256 }, metadata: { open, turn } },
  address,
) {
  const isKnown = sha256 && Object.hasOwn(TYPES, format);
  const picture =
    isKnown && !open
      ? figure(`${address}${turn}/${sha256}/`, format, size, "Picture from the model")
      : create("p", "", isKnown ? `A picture is coming: ${sizeOf(format, size)}.` : UNKNOWN);
  inside(element, ".drawing").replaceChildren(picture);
}

const UNKNOWN = "A picture that cannot be shown here. The export has it.";

/**
 * @param {string} format
 * @param {number} bytes
 */
const sizeOf = (format, bytes) => `${format.toUpperCase()}, ${sizeInWords(bytes)}`;
