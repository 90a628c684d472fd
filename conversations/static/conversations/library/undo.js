/**
 * The line that says what was deleted and brings it back. It stays until it is closed or another takes its place.
 */
import { all, button, create, inside } from "../lib/dom.js";
import { focusRow } from "./menu.js";

export class Undo {
  /**
   * @param {HTMLElement} element
   * @param {(ids: string[]) => Promise<unknown>} restore brings conversations back, and returns something if it could
   */
  constructor(element, restore) {
    this.element = element;
    this.restore = restore;
    element.setAttribute("popover", "manual"); // above a drawer that is open
    if (element.querySelector("form")) this.takeUp();
  }

  // What the page came with: a form, which works without a script.
  takeUp() {
    /** @type {HTMLInputElement[]} */
    const boxes = all(this.element, "[name=ids]");
    const ids = boxes.map(({ value }) => value);
    this.offer(inside(this.element, "p").textContent, ids);
  }

  /**
   * Says what was deleted; the focus, which was there, goes to the way back.
   * @param {string} text
   * @param {string[]} ids
   */
  offer(text, ids) {
    const undo = button("", "Undo", async () => {
      this.close();
      if (await this.restore(ids)) focusRow(ids[0]);
    });
    this.show(create("p", "", text), undo);
    if (document.activeElement === document.body) undo.focus();
  }

  /** @param {string} text */
  tell(text) {
    this.show(create("p", "", text));
  }

  /** @param {Node[]} content */
  show(...content) {
    const close = button("quiet", "Close", () => this.close());
    this.element.replaceChildren(...content, close);
    if (!this.element.matches(":popover-open")) this.element.showPopover();
  }

  close() {
    this.element.hidePopover();
    this.element.replaceChildren();
  }
}
