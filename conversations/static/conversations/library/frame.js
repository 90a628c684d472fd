/**
 * The frame of every page: beside it the list of conversations, on a small screen in a drawer.
 */
import { byId } from "../lib/dom.js";
import { Drawer } from "./drawer.js";
import { List } from "./list.js";
import { remember } from "./remembering.js";

function start() {
  const sidebar = byId("sidebar");
  const list = new List(sidebar);
  new Drawer(sidebar, byId("sidebar-button"));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && remember("timezone", zone)) list.refresh();
  document.addEventListener("turntable:library", () => list.refresh());
}

start();
