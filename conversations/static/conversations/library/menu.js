/**
 * The menu of a conversation in a list: by its button, by the keyboard, or by a long press or the right button on its row.
 */
import { all, closestTo, create, inside } from "../lib/dom.js";
import { placeAt } from "../lib/places.js";

const FORMATS = { json: "JSON", md: "Markdown", jsonl: "AG-UI JSON Lines" };
/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Menu {
  /** @param {(name: string, row: HTMLElement) => void} act does what was chosen */
  constructor(act) {
    this.act = act;
    /** @type {HTMLElement | null} */
    this.button = null;
    /** @type {HTMLElement | null} */
    this.row = null;
    this.element = create("div", "row-menu");
    this.element.setAttribute("role", "menu");
    this.element.setAttribute("popover", "manual"); // else the release of the button or finger that opened it would close it
    this.element.addEventListener("keydown", (event) => this.move(event));
    this.element.addEventListener("click", (event) => this.choose(event));
    document.addEventListener("pointerdown", ({ target }) => this.leave(/** @type {Node} */ (target)));
  }

  /**
   * Opens at a row's button, or at the point that was pressed.
   * @param {HTMLElement} row
   * @param {Point} [point]
   */
  open(row, point) {
    const isOpen = this.button !== null && this.row === row && !point;
    this.close();
    if (isOpen) return; // pressed again
    this.row = row;
    const button = inside(row, ".dots");
    this.button = button;
    button.setAttribute("aria-expanded", "true");
    this.element.setAttribute("aria-label", button.getAttribute("aria-label") ?? "");
    const { pinned, archived } = row.dataset;
    const pin = pinned === undefined ? "Pin" : "Unpin";
    const archive = archived === undefined ? "Archive" : "Unarchive";
    this.show(["Rename", pin, archive, "Export", "Delete"].map(item));
    row.append(this.element); // inside the drawer, if that is open: it stays
    this.element.showPopover();
    placeAt(this.element, point ?? below(button));
    this.items()[0].focus();
  }

  /** @param {HTMLElement[]} items */
  show(items) {
    this.element.replaceChildren(...items);
  }

  items() {
    return all(this.element, "[role=menuitem]");
  }

  /**
   * Closes at a press elsewhere; one on its own button opens or closes it by itself.
   * @param {Node} target
   */
  leave(target) {
    if (this.button && !this.button.contains(target) && !this.element.contains(target)) this.close();
  }

  /** @param {KeyboardEvent} event */
  move(event) {
    const items = this.items();
    const at = items.findIndex((item) => item.matches(":focus"));
    /** @type {Record<string, number>} */
    const ends = { Home: 0, End: items.length - 1 };
    const place = ends[event.key] ?? at + STEPS[event.key];
    if (["Escape", "Tab"].includes(event.key)) this.close();
    else if (event.key === " " && items[at]?.localName === "a") items[at].click();
    else if (Number.isNaN(place)) return;
    else items.at(place % items.length)?.focus();
    if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation(); // Escape stops no answer and closes no drawer
  }

  /** @param {MouseEvent} event */
  choose(event) {
    /** @type {HTMLButtonElement | null} */
    const chosen = closestTo(event, "[role=menuitem]");
    const { row } = this;
    if (!chosen || !row) return;
    if (chosen.value === "export") {
      this.show(Object.entries(FORMATS).map(([format, name]) => download(row, format, name)));
      this.items()[0].focus();
      return;
    }
    this.close();
    if (chosen.value) this.act(chosen.value, row);
  }

  close() {
    if (this.element.matches(":popover-open")) this.element.hidePopover();
    this.forget();
  }

  // Escape, or a click elsewhere: the focus goes back to where the menu belongs, if it was in it.
  forget() {
    if (!this.button) return;
    const { button } = this;
    this.button = null;
    button.removeAttribute("aria-expanded");
    if (this.element.contains(document.activeElement) || document.activeElement === document.body)
      button.focus();
    this.element.remove();
  }
}

/**
 * Puts the focus on the menu button of a conversation's row, and returns whether there is one.
 * @param {string | undefined} id
 */
export function focusRow(id) {
  /** @type {HTMLElement | null} */
  const dots = document.querySelector(`[data-id="${id}"] .dots`);
  dots?.focus();
  return Boolean(dots);
}

/**
 * @param {HTMLElement} button
 * @returns {Point}
 */
const below = (button) => {
  const { left, bottom } = button.getBoundingClientRect();
  return { x: left, y: bottom };
};

/**
 * @param {HTMLElement} element
 * @param {boolean} [grave]
 */
function asItem(element, grave = false) {
  element.setAttribute("role", "menuitem");
  element.tabIndex = -1;
  element.classList.toggle("grave", grave);
  return element;
}

/** @param {string} name */
function item(name) {
  const value = name.toLowerCase();
  return asItem(Object.assign(create("button", "", name), { type: "button", value }), value === "delete");
}

/**
 * @param {HTMLElement} row
 * @param {string} format
 * @param {string} name
 */
function download(row, format, name) {
  const link = create("a", "", `Export as ${name}`);
  link.href = `${inside(row, "a").pathname}export/?format=${format}`;
  link.download = "";
  return asItem(link);
}
