/**
 * The sidebar's place. With room it stands beside the page or is put away, which is remembered; without, it is a drawer over the page, which
 * Escape and a click beside it close: a popover.
 */
import { remember } from "../lib/browser.js";
import { around, inside } from "../lib/dom.js";

const ROOM = "(min-width: 64rem)";

export class Drawer {
  /**
   * @param {HTMLElement} sidebar
   * @param {HTMLElement} button
   */
  constructor(sidebar, button) {
    this.sidebar = sidebar;
    this.button = button;
    this.columns = around(sidebar, ".columns");
    this.room = matchMedia(ROOM);
    button.addEventListener("click", (event) => this.press(event));
    sidebar.addEventListener("beforetoggle", (event) => this.toggle(event));
    sidebar.addEventListener("toggle", (event) => this.tell(event));
    this.room.addEventListener("change", () => this.fit());
    this.fit();
  }

  /** @param {MouseEvent} event */
  press(event) {
    if (!this.room.matches) return;
    event.preventDefault(); // it opens no drawer
    const isAlone = this.columns.classList.toggle("alone");
    remember("sidebar", isAlone ? "closed" : "open");
    this.fit();
  }

  fit() {
    if (this.room.matches && this.sidebar.matches(":popover-open")) this.sidebar.hidePopover();
    const isOpen = this.room.matches && !this.columns.classList.contains("alone");
    this.button.setAttribute("aria-expanded", String(isOpen));
  }

  /**
   * Puts what is behind an open drawer out of reach; the focus has to find its way back before it closes.
   * @param {ToggleEvent} event
   */
  toggle({ target, newState }) {
    if (target !== this.sidebar) return;
    const behind = document.querySelectorAll("body > .bar, body > .skip, #main");
    for (const element of behind) element.toggleAttribute("inert", newState === "open");
  }

  /** @param {ToggleEvent} event */
  tell({ target, newState }) {
    if (target !== this.sidebar) return;
    this.button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "open") inside(this.sidebar, "button").focus();
  }
}
