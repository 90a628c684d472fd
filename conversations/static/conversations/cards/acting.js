/**
 * What the reader does with tool calls: decides on those that wait, runs again those that have ended.
 */
import { setText } from "../lib/dom.js";
import { openEditor } from "./editor.js";
import { uuid } from "../composer/outbox.js";
import { callOf } from "./tool.js";

const PATIENCE_MS = 10_000; // after which what was asked may be asked again
const OFFLINE = "Not sent: there is no connection.";
const UNHEARD = "No answer yet. You can try again.";

/**
 * Takes the clicks of the log's tool cards. `send(frame)` returns whether it could be sent, `say(sentence)` is read out.
 * Returns `hear(event)`, true for a refusal of something that was asked here.
 */
export function listen(log, { send, say }) {
  const asked = new Asked(send, say);
  log.dataset.acts = "";
  log.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-decide], [data-run]");
    if (button?.ariaDisabled === "true") return;
    const card = button?.closest(".tool");
    if (button?.dataset.decide) DECIDE[button.dataset.decide](asked, card, button);
    if (button?.dataset.run) RUN[button.dataset.run](asked, card, button);
  });
  log.addEventListener("submit", (event) => {
    if (!event.target.matches(".no")) return;
    event.preventDefault();
    if (!event.target.closest("[aria-busy=true]")) deny(asked, event.target.closest(".tool"));
  });
  return (event) => asked.hear(event);
}

const DECIDE = {
  approve: (asked, card) => decide(asked, card, { approved: true, ...always(card) }),
  edit: (asked, card, opener) =>
    edit(card, opener, "Approve and run", (editedArgs) => decide(asked, card, { approved: true, editedArgs, ...always(card) })),
};

const RUN = {
  again: (asked, card) => run(asked, card),
  changed: (asked, card, opener) => edit(card, opener, "Run", (changed) => run(asked, card, { arguments: changed })),
};

const always = (card) => (card.querySelector("[name=always]").checked ? { always: true } : {});

function deny(asked, card) {
  const reason = card.querySelector("[name=reason]").value.trim();
  decide(asked, card, { approved: false, ...(reason && { reason }) });
}

function decide(asked, card, payload) {
  const { id, name } = callOf(card);
  const told = payload.approved ? "Approving" : "Denying";
  asked.ask(card.querySelector(".asking"), `${told} ${name}`, {
    type: "resume",
    resume: [{ interruptId: id, status: "resolved", payload }],
  });
}

function run(asked, card, more = {}) {
  const { id, name } = callOf(card);
  asked.ask(card.querySelector(".handles"), `Running ${name} again`, { type: "run", call: id, ...more });
}

function edit(card, opener, action, submit) {
  openEditor(card.querySelector(".editing"), { text: callOf(card).arguments, action, opener, submit });
}

/** What has been asked and not been answered, by the id of its frame. */
class Asked {
  constructor(send, say) {
    Object.assign(this, { send, say, waiting: new Map() });
  }

  /** Sends the frame; until it is answered the place says so and its controls are off. */
  ask(place, sentence, frame) {
    const id = uuid();
    if (!this.send({ ...frame, id })) return this.tell(place, OFFLINE);
    const timer = setTimeout(() => this.giveBack(id, UNHEARD), PATIENCE_MS);
    this.waiting.set(id, { place, timer, call: frame.resume?.[0].interruptId });
    turn(place, true);
    return this.tell(place, `${sentence} …`);
  }

  tell(place, sentence) {
    const told = place.querySelector(".told");
    if (told) setText(told, sentence);
    if (sentence) this.say(sentence);
  }

  giveBack(id, sentence) {
    const { place, timer } = this.waiting.get(id) ?? {};
    if (!this.waiting.delete(id)) return false;
    clearTimeout(timer);
    turn(place, false);
    this.tell(place, sentence);
    return true;
  }

  hear({ type, name, value, messageId }) {
    if (type === "TEXT_MESSAGE_START") this.giveBack(messageId, "");
    if (name === "turntable.queued") for (const { id } of value) this.giveBack(id, "");
    if (name === "turntable.approval") this.settle(value.toolCallId);
    if (name === "turntable.decided") value.interrupts.forEach((call) => this.settle(call));
    return name === "turntable.refused" && this.giveBack(value.id, value.message);
  }

  settle(decided) {
    for (const [id, { call }] of this.waiting) if (call === decided) this.giveBack(id, "");
  }
}

// Not by `disabled`, which would take the focus away.
function turn(place, isOff) {
  place.ariaBusy = String(isOff);
  for (const button of place.querySelectorAll("button")) button.ariaDisabled = isOff ? "true" : null;
}
