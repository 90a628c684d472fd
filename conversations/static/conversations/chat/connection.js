/**
 * The line that says how the connection stands.
 */

const QUIET_MS = 1500; // a connection that is back sooner was never missed

const STATUSES = {
  lost: "Offline, will reconnect. What you send waits here until then.",
  flooded: "That was too much at once. Going on more slowly.",
};

export class Connection {
  constructor(page) {
    this.page = page;
    this.timer = undefined;
  }

  /** Shows how the connection stands, a loss only after a while. */
  show(status) {
    clearTimeout(this.timer);
    if (status === "lost") this.timer = setTimeout(() => this.tell(status), QUIET_MS);
    else this.tell(status);
    this.page.querySelector("#signed-out").hidden = status !== "signed-out";
  }

  // `data-offline` stills what turns: without a connection it waits for nothing.
  tell(status) {
    this.page.querySelector("#connection").textContent = STATUSES[status] ?? "";
    this.page.toggleAttribute("data-offline", status !== "open");
  }
}
