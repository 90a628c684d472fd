/**
 * New answers to the newest question, by another model too, and the versions of a turn.
 */
import { uuid } from "../lib/browser.js";
import { closestTo, create, inside } from "../lib/dom.js";
import { placeAbove } from "../lib/places.js";

/** `done()` takes the focus once a question has been sent. */
export class Branches {
  /**
   * @param {HTMLElement} menu
   * @param {string[]} models
   * @param {Record<string, string>} names
   * @param {{ask: Send, done: () => void}} page
   */
  constructor(menu, models, names, { ask, done }) {
    this.menu = menu;
    this.ask = ask;
    this.done = done;
    /** @type {HTMLElement | null} */
    this.opener = null;
    /** @type {{turn: string, name: string} | null} */
    this.target = null;
    this.fill(models, names);
    menu.addEventListener("toggle", ({ newState }) => newState === "open" && this.place());
    document.addEventListener("click", (event) => {
      this.opener = closestTo(event, "[popovertarget=models]") ?? this.opener;
    });
  }

  /**
   * @param {string[]} models
   * @param {Record<string, string>} names
   */
  fill(models, names) {
    const buttons = models.map((model) =>
      Object.assign(create("button", "", names[model] ?? model), { type: "button", value: model }),
    );
    this.menu.append(...buttons);
    for (const button of buttons) button.addEventListener("click", () => this.regenerate(button.value));
  }

  place() {
    if (this.opener) placeAbove(this.menu, this.opener);
    inside(this.menu, "button").focus();
  }

  /**
   * Asks the newest question again.
   * @param {string} [model]
   */
  regenerate(model) {
    if (this.menu.matches(":popover-open")) this.menu.hidePopover();
    if (this.ask({ type: "regenerate", id: uuid(), ...(model && { model }) })) this.done();
  }

  /**
   * Goes from a turn to the version that is `by` places after it.
   * @param {SectionTurn} turn
   * @param {number} by
   * @param {string} name
   */
  show({ id = "", versions = [] }, by, name) {
    const turn = versions[versions.indexOf(id) + by];
    if (turn && this.ask({ type: "branch", turn })) this.target = { turn, name };
  }

  /**
   * Once the version that the reader went to is there, says so and puts the focus back on its button.
   * @param {HTMLElement} log
   * @param {Say} say
   */
  settle(log, say) {
    const section = this.target && log.querySelector(`[data-key="turn:${this.target.turn}"]`);
    /** @type {HTMLButtonElement | null | undefined} */
    const first = section?.querySelector(`[data-do=${this.target?.name}]`);
    if (!section || !first) return;
    /** @type {HTMLButtonElement | null} */
    const button = first.disabled ? section.querySelector(".versions button:enabled") : first;
    this.target = null;
    button?.focus();
    say(`Version ${inside(section, ".which").textContent}.`);
  }
}
