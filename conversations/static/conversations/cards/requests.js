/**
 * What the reader asks of tool calls: decisions on those that wait, new runs of those that have ended.
 */
import { uuid } from "../lib/browser.js";
import { closestTo, setText } from "../lib/dom.js";
import { openEditor } from "./editor.js";
import { callOf, keep } from "./tool.js";

const PATIENCE_MS = 10_000; // after which an unanswered request may be sent again
const OFFLINE = "Not sent: there is no connection.";
const UNANSWERED = "No answer yet. You can try again.";

/** The requests of a log's tool cards. `send(frame)` returns whether it could be sent, `say(sentence)` is read out. */
export class CallRequests {
  /**
   * @param {HTMLElement} log
   * @param {{send: Send, say: Say}} page
   */
  constructor(log, { send, say }) {
    this.pending = new PendingRequests(send, say);
    log.dataset.acts = "";
    log.addEventListener("click", (event) => this.press(closestTo(event, "[data-decide], [data-run]")));
    log.addEventListener("submit", (event) => this.submit(event));
  }

  /**
   * Takes in an event; true for a refusal of a request of this page.
   * @param {AguiEvent} event
   */
  hear(event) {
    return this.pending.hear(event);
  }

  press(button) {
    if (!button || button.ariaDisabled === "true") return;
    const card = button.closest(".tool");
    keep(card);
    switch (button.dataset.decide ?? button.dataset.run) {
      case "approve":
        return this.decide(card, { approved: true, ...always(card) });
      case "edit":
        return edit(card, button, "Approve and run", (editedArgs) =>
          this.decide(card, { approved: true, editedArgs, ...always(card) }),
        );
      case "again":
        return this.run(card);
      case "changed":
        return edit(card, button, "Run", (changed) => this.run(card, { arguments: changed }));
      default:
        return undefined;
    }
  }

  submit(event) {
    if (!event.target.matches(".no")) return;
    event.preventDefault();
    if (event.target.closest("[aria-busy=true]")) return;
    const card = event.target.closest(".tool");
    keep(card);
    const reason = card.querySelector("[name=reason]").value.trim();
    this.decide(card, { approved: false, ...(reason && { reason }) });
  }

  /**
   * @param {HTMLElement} card
   * @param {Decision} payload
   */
  decide(card, payload) {
    const { id, name } = callOf(card);
    const action = payload.approved ? "Approving" : "Denying";
    this.pending.add(card.querySelector(".asking"), `${action} ${name}`, {
      type: "resume",
      resume: [{ interruptId: id, status: "resolved", payload }],
    });
  }

  run(card, more = {}) {
    const { id, name } = callOf(card);
    this.pending.add(card.querySelector(".handles"), `Running ${name} again`, {
      type: "run",
      call: id,
      ...more,
    });
  }
}

/** @returns {{always?: true | "tool"}} */
function always(card) {
  const choice = card.querySelector("[name=always]:checked");
  return choice ? { always: choice.value === "tool" ? "tool" : true } : {};
}

function edit(card, opener, action, submit) {
  openEditor(card.querySelector(".editing"), { text: callOf(card).arguments, action, opener, submit });
}

/** The requests that have not been answered, by the ids of their frames. */
class PendingRequests {
  /**
   * @param {Send} send
   * @param {Say} say
   */
  constructor(send, say) {
    this.send = send;
    this.say = say;
    this.waiting = new Map();
  }

  /** Sends the frame; until it is answered the place says so and its controls are off. */
  add(place, sentence, frame) {
    const id = uuid();
    if (!this.send({ ...frame, id })) return this.tell(place, OFFLINE);
    const timer = setTimeout(() => this.end(id, UNANSWERED), PATIENCE_MS);
    this.waiting.set(id, { place, timer, call: frame.resume?.[0].interruptId });
    setBusy(place, true);
    return this.tell(place, `${sentence} …`);
  }

  tell(place, sentence) {
    const status = place.querySelector(".feedback");
    if (status) setText(status, sentence);
    if (sentence) this.say(sentence);
  }

  /** Turns the controls on again; false where there is no such request. */
  end(id, sentence) {
    const { place, timer } = this.waiting.get(id) ?? {};
    if (!this.waiting.delete(id)) return false;
    clearTimeout(timer);
    setBusy(place, false);
    this.tell(place, sentence);
    return true;
  }

  /** @param {any} event of some type or other */
  hear({ type, name, value, messageId }) {
    if (type === "TEXT_MESSAGE_START") this.end(messageId, "");
    if (name === "turntable.queued") for (const { id } of value) this.end(id, "");
    if (name === "turntable.approval") this.settle(value.toolCallId);
    if (name === "turntable.decided") for (const call of value.interrupts) this.settle(call);
    return name === "turntable.refused" && this.end(value.id, value.message);
  }

  settle(call) {
    for (const [id, request] of this.waiting) if (request.call === call) this.end(id, "");
  }
}

// Not by `disabled`, which would take the focus away.
function setBusy(place, isBusy) {
  place.ariaBusy = String(isBusy);
  for (const button of place.querySelectorAll("button")) button.ariaDisabled = isBusy ? "true" : null;
}
