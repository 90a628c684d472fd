/**
 * The frame of every page: beside it the list of conversations, on a small screen in a drawer.
 */
import { remember } from "../lib/browser.js";
import { once } from "../lib/documents.js";
import { all, around, byId, closestTo, inside } from "../lib/dom.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { Drawer } from "./drawer.js";
import { List } from "./list.js";

const LONG_MS = 500;
const FAR = 10; // pixels that a finger may tremble
const ROW = "#groups li, .conversations li";

function start() {
  const sidebar = byId("sidebar");
  const list = new List(sidebar);
  new Drawer(sidebar, byId("sidebar-button"));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && remember("timezone", zone)) list.refresh();
  document.addEventListener("turntable:library", () => list.refresh());
  listen(sidebar, list);
  listenToShortcuts();
}

/**
 * Opens the menus of rows; what they do is fetched with the first one.
 * @param {HTMLElement} sidebar
 * @param {List} list
 */
function listen(sidebar, list) {
  const rows = once(async () => {
    const { Rows } = await import("./rows.js");
    return new Rows(sidebar, () => list.refresh());
  });
  /** @type {(row: HTMLElement, point?: Point) => Promise<void>} */
  const open = async (row, point) => {
    const place = row.closest(".conversations") ? ".conversations" : "#groups"; // a row that was replaced while it was pressed is in neither
    const { menu } = await rows();
    /** @type {HTMLElement | null} */
    const current = row.isConnected ? row : document.querySelector(`${place} [data-id="${row.dataset.id}"]`);
    if (current) menu.open(current, point); // the list may have been fetched anew meanwhile
  };
  document.addEventListener("click", (event) => {
    const dots = closestTo(event, ".dots");
    if (dots) open(around(dots, "li"));
  });
  document.addEventListener("contextmenu", (event) => {
    const row = closestTo(event, ROW);
    if (!row || closestTo(event, "input, [role=menu]")) return;
    event.preventDefault();
    open(row, event.detail === 0 && event.button === 0 ? undefined : { x: event.clientX, y: event.clientY });
  });
  document.addEventListener("change", (event) => {
    /** @type {HTMLInputElement | null} */
    const box = closestTo(event, ".chosen input");
    if (box) follow(box);
  });
  onLongPress(ROW, (row, point) => open(row, point));
  if (byId("undo").childElementCount) rows();
}

/**
 * Brings the boxes of a list in line with the one that was just changed: one of them chooses all.
 * @param {HTMLInputElement} box
 */
function follow(box) {
  const form = around(box, ".chosen");
  /** @type {HTMLInputElement} */
  const whole = inside(form, ".all input");
  /** @type {HTMLInputElement[]} */
  const boxes = all(form, "[name=ids]");
  if (box === whole) for (const one of boxes) one.checked = whole.checked;
  const number = boxes.filter(({ checked }) => checked).length;
  whole.checked = number === boxes.length;
  whole.indeterminate = number > 0 && number < boxes.length;
}

/**
 * Calls `press(element, point)` when an element that the selector names is pressed long; the click that follows is none. Not every browser
 * makes a context menu of it.
 * @param {string} selector
 * @param {(element: HTMLElement, point: Point) => void} press
 */
function onLongPress(selector, press) {
  /** @type {number | undefined} */
  let timer;
  /** @type {Point | undefined} */
  let start;
  let wasLong = false;
  const end = () => clearTimeout(timer);
  document.addEventListener("pointerdown", (event) => {
    end();
    wasLong = false;
    const element = closestTo(event, selector);
    if (event.pointerType !== "touch" || !element) return;
    const point = { x: event.clientX, y: event.clientY };
    start = point;
    timer = setTimeout(() => {
      wasLong = true;
      press(element, point);
    }, LONG_MS);
  });
  document.addEventListener("click", (event) => wasLong && event.preventDefault(), { capture: true });
  document.addEventListener("pointermove", ({ pointerType, clientX, clientY }) => {
    if (pointerType === "touch" && start && Math.hypot(clientX - start.x, clientY - start.y) > FAR) end(); // a mouse may rest elsewhere
  });
  for (const name of ["pointerup", "pointercancel", "contextmenu"]) document.addEventListener(name, end);
}

start();
