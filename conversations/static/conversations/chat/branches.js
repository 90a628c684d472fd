/**
 * Answers asked for again, with another model too, and the versions of a turn.
 */
import { uuid } from "../lib/browser.js";
import { create } from "../lib/dom.js";

const GAP = 4; // pixels between a button and the menu above it

/** `ask(frame)` returns whether the frame could be sent. */
export class Branches {
  constructor(menu, models, { ask, asked }) {
    this.menu = menu;
    this.ask = ask;
    this.asked = asked;
    this.fill(models);
    menu.addEventListener("toggle", ({ newState }) => newState === "open" && this.place());
    document.addEventListener("click", ({ target }) => {
      this.opener = target.closest("[popovertarget=models]") ?? this.opener;
    });
  }

  fill(models) {
    const buttons = models.map((model) =>
      Object.assign(create("button", "", model), { type: "button", value: model }),
    );
    this.menu.append(...buttons);
    for (const button of buttons) button.addEventListener("click", () => this.regenerate(button.value));
  }

  // Above its button, for below is where one writes.
  place() {
    const { left, top } = this.opener.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.menu;
    this.menu.style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - offsetWidth - GAP))}px`;
    this.menu.style.top = `${Math.max(GAP, top - offsetHeight - GAP)}px`;
    this.menu.querySelector("button").focus();
  }

  /** Asks the newest question again. */
  regenerate(model) {
    if (this.menu.matches(":popover-open")) this.menu.hidePopover();
    if (this.ask({ type: "regenerate", id: uuid(), ...(model && { model }) })) this.asked();
  }

  /** Asks for a turn's version so many before or after it. */
  show({ id, versions }, by, name) {
    const turn = versions[versions.indexOf(id) + by];
    if (turn && this.ask({ type: "branch", turn })) this.wanted = { turn, name };
  }

  /** Says which version is shown now that it was asked for, and leads the focus to where it was asked. */
  settle(log, say) {
    const section = this.wanted && log.querySelector(`[data-key="turn:${this.wanted.turn}"]`);
    if (!section) return;
    const first = section.querySelector(`[data-do=${this.wanted.name}]`);
    const button = first.disabled ? section.querySelector(".versions button:enabled") : first;
    this.wanted = null;
    button?.focus();
    say(`Version ${section.querySelector(".which").textContent}.`);
  }
}
