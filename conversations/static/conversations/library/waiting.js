/**
 * The page of what waits: decisions are sent without leaving it, and what is decided elsewhere goes away.
 */
import { loadDocument, sendForm } from "../lib/documents.js";
import { all, byId } from "../lib/dom.js";
import { showLocalTimes } from "../lib/times.js";

const RENEW_MS = 100;

/** @param {ParentNode} root */
const keys = (root) =>
  all(root, "[data-call]")
    .map(({ dataset }) => dataset.call)
    .join();

/**
 * Shows what waits now. A call that still waits stays as it is, with what was written there.
 * @param {Document} page
 */
function show(page) {
  const [list, fresh] = [byId("pending"), page.getElementById("pending")];
  if (!fresh) return location.reload(); // it leads to the sign-in
  if (keys(list) === keys(fresh)) return undefined;
  const focus = /** @type {HTMLElement} */ (document.activeElement);
  const hadFocus = list.contains(focus);
  for (const call of all(fresh, "[data-call]"))
    call.replaceWith(list.querySelector(`[data-call="${call.dataset.call}"]`) ?? call);
  list.replaceChildren(...fresh.childNodes);
  showLocalTimes(list);
  if (!hadFocus) return undefined;
  return (focus.isConnected ? focus : byId("heading")).focus({ preventScroll: focus.isConnected });
}

/** @param {SubmitEvent} event */
async function decide(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  event.preventDefault();
  if (form.dataset.sent !== undefined) return;
  form.dataset.sent = "";
  try {
    const page = await sendForm(form);
    for (const id of ["feedback", "problem"])
      byId(id).replaceChildren(...(page.getElementById(id)?.childNodes ?? []));
    show(page);
  } catch (error) {
    byId("problem").textContent = /** @type {Error} */ (error).message;
  }
  delete form.dataset.sent;
}

const renew = () =>
  loadDocument(location.pathname).then(show, () => {
    /* without a connection it stays as it is until there is one */
  });

/**
 * Whether a change may be one of what waits.
 * @param {LibraryChange} change
 */
function concerns({ conversation, mark, waiting }) {
  const list = byId("pending");
  const isShown = list.querySelector(`[data-of="${conversation}"]`) !== null;
  return isShown || mark === "waiting" || waiting !== list.querySelectorAll("[data-call]").length;
}

function start() {
  /** @type {number | undefined} */
  let due;
  byId("pending").addEventListener("submit", decide);
  document.addEventListener("turntable:change", ({ detail }) => {
    if (!concerns(detail)) return;
    clearTimeout(due);
    due = setTimeout(renew, RENEW_MS);
  });
  showLocalTimes(document);
}

start();
