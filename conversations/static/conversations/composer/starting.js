/**
 * Files on the start page, where there is no conversation yet: the first of them makes one, and the message is sent on its page.
 */
import { save, uuid } from "../lib/browser.js";
import { byId } from "../lib/dom.js";
import { Attaching } from "./attaching.js";
import { askBoth, refuse } from "./two.js";

const PAGE = /\/conversations\/([0-9a-f-]{36})\/$/;

/**
 * Lets files be attached to the message of a form that makes a conversation.
 * @param {HTMLFormElement} form
 */
export function attachAtStart(form) {
  let page = "";
  const begin = async () => {
    page = await conversationOf(form);
    return page;
  };
  const files = new Attaching(form, refuse, begin);
  const submit = (second = "") => {
    const problem = files.problem(() => submit(second), second);
    if (problem) refuse(problem);
    else send(page, form, files, second);
  };
  form.addEventListener("submit", (event) => {
    if (!files.entries.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    submit(hiddenValue(form, "second"));
  });
}

/**
 * The value of a hidden field, "" where there is none.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function hiddenValue(form, name) {
  /** @type {HTMLInputElement | null} */
  const field = form.querySelector(`input[name=${name}]`);
  return field?.value ?? "";
}

/**
 * The address of a new conversation, with the form's settings and no message yet.
 * @param {HTMLFormElement} form
 */
async function conversationOf(form) {
  const answer = await fetch(form.action, { method: "POST", body: settingsOf(form) });
  if (!PAGE.test(new URL(answer.url).pathname)) throw new Error("no conversation was made");
  return answer.url;
}

/** @param {HTMLFormElement} form */
function settingsOf(form) {
  const fields = new FormData(form);
  for (const name of ["message", "second"]) fields.delete(name);
  return fields;
}

/**
 * Sends the message on its page, with the settings as they are now.
 * @param {string} page
 * @param {HTMLFormElement} form
 * @param {Attaching} files
 * @param {string} second
 */
async function send(page, form, files, second) {
  const attachments = files.take();
  await files.deletions; // else its page would list what was removed here
  await fetch(`${page}settings/`, { method: "POST", body: settingsOf(form) }).catch(() => undefined);
  const token = hiddenValue(form, "csrfmiddlewaretoken");
  if (second) return askBoth(`${page}beside/`, token, second, attachments);
  const [, conversation] = PAGE.exec(new URL(page).pathname) ?? [];
  const message = { id: uuid(), text: byId("message").value, at: Date.now(), attachments };
  save(`outbox:${conversation}`, [message]);
  location.assign(page);
}
