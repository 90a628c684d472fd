/**
 * The frame of every page: beside it the list of conversations, on a small screen in a drawer.
 */
import { byId, closestTo } from "../lib/dom.js";
import { listenToShortcuts } from "../shortcuts/listening.js";
import { Drawer } from "./drawer.js";
import { List } from "./list.js";
import { onLongPress } from "./pressing.js";
import { remember } from "./remembering.js";

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

// What the menus do is fetched when the first one is opened.
function listen(sidebar, list) {
  let rows;
  const load = async () => {
    const { Rows } = await import("./rows.js");
    return new Rows(sidebar, () => list.refresh());
  };
  const open = async (row, point) => {
    rows ??= load();
    const place = row.closest(".conversations") ? ".conversations" : "#groups"; // a row that was replaced while it was pressed is in neither
    const { menu } = await rows;
    const current = row.isConnected ? row : document.querySelector(`${place} [data-id="${row.dataset.id}"]`);
    if (current) menu.open(current, point); // the list may have been fetched anew meanwhile
  };
  document.addEventListener("click", (event) => {
    const dots = closestTo(event, ".dots");
    if (dots) open(dots.closest("li"));
  });
  document.addEventListener("contextmenu", (event) => {
    const row = closestTo(event, ROW);
    if (!row || closestTo(event, "input, [role=menu]")) return;
    event.preventDefault();
    open(row, event.detail === 0 && event.button === 0 ? null : { x: event.clientX, y: event.clientY });
  });
  document.addEventListener("change", async (event) => {
    if (closestTo(event, ".chosen")) (await import("./choosing.js")).follow(event.target);
  });
  onLongPress(ROW, (row, point) => open(row, point));
  if (byId("undo").childElementCount) rows = load();
}

start();
