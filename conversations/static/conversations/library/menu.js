/**
 * The menu of a conversation in a list: by its button, by the keyboard, or by a long press or the right button on its row.
 */
import { create } from "../lib/dom.js";
import { placeAt } from "../lib/places.js";

const FORMATS = { json: "JSON", md: "Markdown", jsonl: "AG-UI JSON Lines" };
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Menu {
  /** `act(name, row)` does what was chosen. */
  constructor(act) {
    this.act = act;
    this.button = null;
    /** @type {any} */
    this.row = null;
    this.element = create("div", "row-menu");
    this.element.setAttribute("role", "menu");
    this.element.setAttribute("popover", "manual"); // else the release of the button or finger that opened it would close it
    this.element.addEventListener("keydown", (event) => this.move(event));
    this.element.addEventListener("click", (event) => this.choose(event));
    document.addEventListener("pointerdown", ({ target }) => this.leave(/** @type {Node} */ (target)));
  }

  /** Opens at a row's button, or at the point that was pressed. */
  open(row, point) {
    const isOpen = this.button !== null && this.row === row && !point;
    this.close();
    if (isOpen) return; // pressed again
    this.row = row;
    this.button = row.querySelector(".dots");
    this.button.setAttribute("aria-expanded", "true");
    this.element.setAttribute("aria-label", this.button.getAttribute("aria-label"));
    const { pinned, archived } = row.dataset;
    const pin = pinned === undefined ? "Pin" : "Unpin";
    const archive = archived === undefined ? "Archive" : "Unarchive";
    this.show(["Rename", pin, archive, "Export", "Delete"].map(item));
    row.append(this.element); // inside the drawer, if that is open: it stays
    this.element.showPopover();
    placeAt(this.element, point ?? below(this.button));
    this.items()[0].focus();
  }

  show(items) {
    this.element.replaceChildren(...items);
  }

  items() {
    return /** @type {HTMLElement[]} */ (Array.from(this.element.children));
  }

  // A click elsewhere; one on its own button is a press of that.
  leave(target) {
    if (this.button && !this.button.contains(target) && !this.element.contains(target)) this.close();
  }

  move(event) {
    const items = this.items();
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const place = { Home: 0, End: items.length - 1 }[event.key] ?? at + STEPS[event.key];
    if (["Escape", "Tab"].includes(event.key)) this.close();
    else if (event.key === " " && items[at]?.localName === "a") items[at].click();
    else if (Number.isNaN(place)) return;
    else items.at(place % items.length)?.focus();
    if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation(); // Escape stops no answer and closes no drawer
  }

  choose({ target }) {
    const chosen = target.closest("[role=menuitem]");
    if (!chosen) return;
    if (chosen.value === "export") {
      this.show(Object.entries(FORMATS).map(([format, name]) => download(this.row, format, name)));
      this.items()[0].focus();
      return;
    }
    const { row } = this;
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

/** Puts the focus on the menu button of a conversation's row, and returns whether there is one. */
export function focusRow(id) {
  const dots = /** @type {HTMLElement} */ (document.querySelector(`[data-id="${id}"] .dots`));
  dots?.focus();
  return Boolean(dots);
}

const below = (button) => {
  const { left, bottom } = button.getBoundingClientRect();
  return { x: left, y: bottom };
};

function asItem(element, grave = false) {
  element.setAttribute("role", "menuitem");
  element.tabIndex = -1;
  element.classList.toggle("grave", grave);
  return element;
}

function item(name) {
  const value = name.toLowerCase();
  return asItem(Object.assign(create("button", "", name), { type: "button", value }), value === "delete");
}

function download(row, format, name) {
  const link = create("a", "", `Export as ${name}`);
  link.href = `${row.querySelector("a").pathname}export/?format=${format}`;
  link.download = "";
  return asItem(link);
}
