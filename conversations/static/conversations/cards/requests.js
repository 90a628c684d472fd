/**
 * What the reader asks of tool calls: decisions on those that wait, new runs of those that have ended.
 */
import { uuid } from "../lib/browser.js";
import { all, around, closestTo, inside, setText } from "../lib/dom.js";
import { openEditor } from "./editor.js";
import { callOf, leaveToReader } from "./tool.js";

const PATIENCE_MS = 10_000; // after which an unanswered request may be sent again
const OFFLINE = "Not sent: there is no connection.";
const UNANSWERED = "No answer yet. You can try again.";

/** The requests of a log's tool cards. */
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

  /** @param {HTMLButtonElement | null} button */
  press(button) {
    if (!button || button.ariaDisabled === "true") return;
    const card = around(button, ".tool");
    leaveToReader(card);
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

  /** @param {SubmitEvent} event */
  submit(event) {
    const form = closestTo(event, ".no");
    if (!form) return;
    event.preventDefault();
    if (form.closest("[aria-busy=true]")) return;
    const card = around(form, ".tool");
    leaveToReader(card);
    /** @type {HTMLInputElement} */
    const box = inside(card, "[name=reason]");
    const reason = box.value.trim();
    this.decide(card, { approved: false, ...(reason && { reason }) });
  }

  /**
   * @param {HTMLElement} card
   * @param {Decision} payload
   */
  decide(card, payload) {
    const { id, name } = callOf(card);
    const action = payload.approved ? "Approving" : "Denying";
    this.pending.add(inside(card, ".asking"), `${action} ${name}`, {
      type: "resume",
      resume: [{ interruptId: id, status: "resolved", payload }],
    });
  }

  /**
   * @param {HTMLElement} card
   * @param {{arguments?: object}} [more]
   */
  run(card, more = {}) {
    const { id, name } = callOf(card);
    this.pending.add(inside(card, ".handles"), `Running ${name} again`, {
      type: "run",
      call: id,
      ...more,
    });
  }
}

/**
 * @param {HTMLElement} card
 * @returns {{always?: true | "tool"}}
 */
function always(card) {
  /** @type {HTMLInputElement | null} */
  const choice = card.querySelector("[name=always]:checked");
  return choice ? { always: choice.value === "tool" ? "tool" : true } : {};
}

/**
 * @param {HTMLElement} card
 * @param {HTMLElement} opener
 * @param {string} action
 * @param {(input: object) => void} submit
 */
function edit(card, opener, action, submit) {
  openEditor(inside(card, ".editing"), { text: callOf(card).arguments, action, opener, submit });
}

/** @typedef {Extract<Frame, {type: "resume" | "run"}>} CallFrame */

/** The requests that have not been answered, by the ids of their frames. */
class PendingRequests {
  /**
   * @param {Send} send
   * @param {Say} say
   */
  constructor(send, say) {
    this.send = send;
    this.say = say;
    /** @type {Map<string, {place: HTMLElement, timer: number, call?: string}>} */
    this.waiting = new Map();
  }

  /**
   * Sends the frame; until it is answered the place says so and its controls are off.
   * @param {HTMLElement} place
   * @param {string} sentence
   * @param {CallFrame} frame
   */
  add(place, sentence, frame) {
    const id = uuid();
    if (!this.send({ ...frame, id })) return this.tell(place, OFFLINE);
    const call = frame.type === "resume" ? frame.resume[0].interruptId : undefined;
    const timer = setTimeout(() => this.end(id, UNANSWERED), PATIENCE_MS);
    this.waiting.set(id, { place, timer, call });
    setBusy(place, true);
    return this.tell(place, `${sentence} …`);
  }

  /**
   * @param {HTMLElement} place
   * @param {string} sentence
   */
  tell(place, sentence) {
    const status = place.querySelector(".feedback");
    if (status) setText(status, sentence);
    if (sentence) this.say(sentence);
  }

  /**
   * Turns the controls on again; false where there is no such request.
   * @param {string} id
   * @param {string} sentence
   */
  end(id, sentence) {
    const request = this.waiting.get(id);
    if (!request) return false;
    this.waiting.delete(id);
    clearTimeout(request.timer);
    setBusy(request.place, false);
    this.tell(request.place, sentence);
    return true;
  }

  /** @param {AguiEvent} event */
  hear(event) {
    if (event.type === "TEXT_MESSAGE_START") this.end(event.messageId, "");
    if (event.type !== "CUSTOM") return false;
    const { name, value } = event;
    if (name === "turntable.queued") for (const { id } of value) this.end(id, "");
    if (name === "turntable.approval") this.settle(value.toolCallId);
    if (name === "turntable.decided") for (const call of value.interrupts) this.settle(call);
    return name === "turntable.refused" && this.end(value.id, value.message);
  }

  /** @param {string} call */
  settle(call) {
    for (const [id, request] of this.waiting) if (request.call === call) this.end(id, "");
  }
}

/**
 * Turns the buttons of a place off or on, not by `disabled`, which would take the focus away.
 * @param {HTMLElement} place
 * @param {boolean} isBusy
 */
function setBusy(place, isBusy) {
  place.ariaBusy = String(isBusy);
  for (const button of all(place, "button")) button.ariaDisabled = isBusy ? "true" : null;
}
