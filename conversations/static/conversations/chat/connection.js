/**
 * The line that says how the connection stands.
 */
import { inside } from "../lib/dom.js";

/** @typedef {import("./socket.js").ConnectionStatus} ConnectionStatus */

const QUIET_MS = 1500; // a connection that is back sooner was never missed

/** @type {{[status in ConnectionStatus]?: string}} */
const STATUSES = {
  lost: "Offline, will reconnect. What you send waits here until then.",
  flooded: "That was too much at once. Going on more slowly.",
};

export class Connection {
  /** @param {HTMLElement} page */
  constructor(page) {
    this.page = page;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /**
   * Shows how the connection stands, a loss only after a while.
   * @param {ConnectionStatus} status
   */
  show(status) {
    clearTimeout(this.timer);
    if (status === "lost") this.timer = setTimeout(() => this.tell(status), QUIET_MS);
    else this.tell(status);
    inside(this.page, "#signed-out").hidden = status !== "signed-out";
  }

  /**
   * Says how it stands. `data-offline` stops what spins: without a connection nothing is awaited.
   * @param {ConnectionStatus} status
   */
  tell(status) {
    inside(this.page, "#connection").textContent = STATUSES[status] ?? "";
    this.page.toggleAttribute("data-offline", status !== "open");
  }
}
