/**
 * Pictures over the page: fitted into it, or in their actual size.
 */
import { show } from "./dialog.js";
import { around, button, closestTo, create, inside, svg } from "./dom.js";
import { style } from "./styles.js";

const LARGER = "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9";
const OPENERS = ".picture > img, .picture [data-large], .files a.large";

/** A button that opens the picture beside it. */
export function enlarger() {
  const drawing = svg(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("path", { d: LARGER }),
  );
  const element = create("button", "quiet icon", drawing, create("span", "tip", "Open large"));
  element.type = "button";
  element.dataset.large = "";
  return element;
}

/**
 * Lets a press on a picture of the log, or on what stands for one, open it large.
 * @param {HTMLElement} log
 */
export function openPicturesOf(log) {
  log.addEventListener("click", (event) => {
    const opener = closestTo(event, OPENERS);
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPicture(pictureAt(opener));
  });
}

/**
 * A picture, the link that saves it, and what has the focus once it is closed.
 * @typedef {{source: string, alt: string, save?: {href: string, download: string}, opener?: HTMLElement | null}} Picture
 */

/**
 * @param {HTMLElement} opener
 * @returns {Picture}
 */
function pictureAt(opener) {
  if (opener instanceof HTMLAnchorElement)
    return { source: opener.href, alt: (opener.ariaLabel ?? "").replace(/^Open /, ""), opener };
  const figure = around(opener, ".picture");
  const { src, alt } = inside(figure, "img");
  /** @type {HTMLAnchorElement | null} */
  const link = figure.querySelector("a[download]");
  const save = link ? { href: link.href, download: link.download } : undefined;
  return { source: src, alt, save, opener: figure.querySelector("[data-large]") };
}

/**
 * Opens a picture over the page; the focus comes back to its opener.
 * @param {Picture} picture
 */
export async function openPicture({ source, alt, save, opener }) {
  const image = Object.assign(create("img"), { alt, src: source });
  const place = create("div", "large-place", image);
  const dialog = create("dialog", "dialog large-picture", headFor(place, alt, save), place);
  dialog.ariaLabel = alt;
  image.addEventListener("error", () => place.replaceChildren("This picture cannot be shown."));
  await style(new URL("./picture.css", import.meta.url)).catch(() => undefined); // plain is better than none
  dialog.addEventListener("close", () => opener?.focus({ preventScroll: true }));
  await show(dialog);
}

/**
 * @param {HTMLElement} place
 * @param {string} alt
 * @param {Picture["save"]} save
 */
function headFor(place, alt, save) {
  const whole = button("quiet", "Actual size", () => {
    const isWhole = place.classList.toggle("whole");
    whole.ariaPressed = String(isWhole);
    if (isWhole)
      place.tabIndex = 0; // so that keys scroll it
    else place.removeAttribute("tabindex");
  });
  whole.ariaPressed = "false";
  place.role = "region";
  place.ariaLabel = "Picture";
  const close = button("quiet", "Close", () => place.closest("dialog")?.close());
  const link = save ? [Object.assign(create("a", "quiet", "Save"), save)] : [];
  return create("div", "dialog-head", create("p", "large-name", alt), whole, ...link, close);
}
