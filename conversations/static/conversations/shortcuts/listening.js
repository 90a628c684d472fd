/**
 * Hears the keys of shortcuts, and the buttons that do the same. The sheet and the palette are fetched when they are first wanted.
 */
import { byId, closestTo } from "../lib/dom.js";
import { addressOfApp } from "../lib/page.js";
import { isApple, isDue, SHORTCUTS, shortcutOf } from "./table.js";

const MODAL = "dialog[open]";
const OPEN = [
  "dialog[open]",
  "[popover]:not([popover=manual]):popover-open",
  "details.menu[open]",
  "[aria-haspopup][aria-expanded=true]",
  ".more > [aria-expanded=true]",
].join();
const FIELD =
  "textarea, select, [contenteditable], input:not([type=button], [type=checkbox], [type=radio], [type=submit])";

/** @type {Record<string, () => unknown> | undefined} */
let actions;

/**
 * Lets the page's shortcuts act: those of every page, which its frame asks for, and its own by their names. An action that does nothing
 * returns false.
 * @param {Record<string, () => unknown>} own
 */
export function listenToShortcuts(own = {}) {
  if (!actions) listen();
  actions = { ...COMMON, ...actions, ...own };
  for (const { name = "" } of SHORTCUTS) showButtons(name, name in actions);
}

function listen() {
  const apple = isApple();
  let isOpen = false;
  // Before anything is closed by the same key.
  addEventListener("keydown", () => (isOpen = isThere(OPEN)), { capture: true });
  document.addEventListener("keydown", (event) => {
    const shortcut = !event.defaultPrevented && shortcutOf(event, apple);
    const act = shortcut && actions?.[shortcut.name ?? ""];
    if (!act || !isDue(shortcut, placeOf(event.target, isOpen))) return;
    if (act() !== false) event.preventDefault();
  });
  document.addEventListener("click", (event) =>
    actions?.[closestTo(event, "button[data-shortcut]")?.dataset.shortcut ?? ""]?.(),
  );
}

/** @param {string} selector */
const isThere = (selector) => document.querySelector(selector) !== null;

/**
 * @param {EventTarget | null} target
 * @param {boolean} isOpen
 */
function placeOf(target, isOpen) {
  const element = target instanceof Element ? target : null;
  const isBox = element?.id === "message";
  return {
    isField: Boolean(element?.closest(FIELD)),
    isBox,
    isEmpty: isBox && byId("message").value === "",
    isModal: isThere(MODAL),
    isOpen,
  };
}

/**
 * Shows the buttons of a shortcut where something acts; without a script they are hidden.
 * @param {string} name
 * @param {boolean} isHere
 */
function showButtons(name, isHere) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll(`button[data-shortcut="${name}"]`);
  for (const button of buttons) button.hidden = !isHere;
}

const COMMON = {
  search: () => search(),
  new: () => begin(),
  sheet: () => void import("./sheet.js").then(({ openSheet }) => openSheet()),
};

/** @type {Promise<void> | null} */
let opening = null;

function search() {
  const address = byId("sidebar")?.dataset.find;
  if (!address) return false;
  opening ??= import("../finding/palette.js")
    .then(({ openPalette }) => openPalette(address, begin))
    .finally(() => (opening = null));
  return true;
}

// Where an empty conversation is what is shown already, its box is all that is wanted.
function begin() {
  /** @type {HTMLElement | null} */
  const box = document.querySelector("#welcome:not([hidden]) ~ .dock #message");
  /** @type {HTMLElement | null} */
  const button = document.querySelector("#sidebar .new");
  if (box) box.focus();
  else if (button) button.click();
  else location.assign(addressOfApp());
}
