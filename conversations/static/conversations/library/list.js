/**
 * The list of conversations: it begins where the current one is in sight, goes on as one scrolls, and is fetched anew when it has changed.
 */

import { loadDocument, whenNear } from "../lib/documents.js";
import { all, closestTo, inside } from "../lib/dom.js";
import { showLocalTimes } from "../lib/times.js";

const LATER_MS = 500;

/** Whether a row's menu is open, or its title is being written. */
const isBusy = () => document.querySelector(".renaming, .row-menu") !== null;

export class List {
  /** @param {HTMLElement} sidebar */
  constructor(sidebar) {
    this.sidebar = sidebar;
    this.groups = inside(sidebar, "#groups");
    this.groups.addEventListener("click", (event) => this.press(event));
    this.showCurrent();
    this.watch();
    if ("late" in this.groups.dataset) this.refresh();
  }

  showCurrent() {
    const current = this.groups.querySelector("[aria-current=page]");
    if (!current) return;
    const { top, bottom } = current.getBoundingClientRect();
    const frame = this.groups.getBoundingClientRect();
    if (top < frame.top || bottom > frame.bottom) this.groups.scrollTop += top - frame.top - frame.height / 2; // not scrollIntoView, which scrolls the page too
  }

  watch() {
    /** @type {HTMLAnchorElement | null} */
    const more = this.groups.querySelector(".more");
    if (more) whenNear(more, () => this.goOn(more), { root: this.groups, rootMargin: "0px 0px 100% 0px" });
  }

  /** @param {Event} event */
  press(event) {
    /** @type {HTMLAnchorElement | null} */
    const more = closestTo(event, ".more");
    if (!more) return;
    event.preventDefault();
    this.goOn(more).catch(() => location.assign(more.href));
  }

  /**
   * Appends what follows; a group that goes on, and conversations that are there already, come once.
   * @param {HTMLAnchorElement} more
   */
  async goOn(more) {
    const page = await loadDocument(more.dataset.more ?? "");
    if (!more.isConnected) return;
    const hadFocus = document.activeElement === more;
    const before = this.rows().length;
    more.remove();
    for (const group of all(page, ".group")) this.append(group);
    this.groups.append(...page.querySelectorAll(".more"));
    if (hadFocus) this.rows()[before]?.querySelector("a")?.focus();
    this.watch();
  }

  /** @param {HTMLElement} group */
  append(group) {
    for (const row of group.querySelectorAll("li"))
      if (this.groups.querySelector(`[data-id="${row.dataset.id}"]`)) row.remove();
    const last = all(this.groups, ".group").at(-1);
    if (!last || last.dataset.name !== group.dataset.name) this.groups.append(group);
    else inside(last, "ol").append(...group.querySelectorAll("li"));
  }

  rows() {
    return this.groups.querySelectorAll("li");
  }

  /** Fetches the list anew, as long as it was, and the page's own; the focus stays where it was. Later, while a menu is open. */
  async refresh() {
    clearTimeout(this.later);
    if (isBusy()) this.later = setTimeout(() => this.refresh(), LATER_MS);
    else await Promise.all([this.refreshGroups(), refreshLibrary()]);
  }

  async refreshGroups() {
    const { list, current = "" } = this.sidebar.dataset;
    const page = await loadDocument(`${list}?number=${this.rows().length || ""}&current=${current}`).catch(
      () => null,
    );
    if (!page) return;
    if (isBusy()) {
      this.refresh();
      return;
    }
    delete this.groups.dataset.late;
    const { scrollTop } = this.groups;
    keepingFocus(this.groups, () => this.groups.replaceChildren(...page.body.children));
    this.groups.scrollTop = scrollTop;
    this.watch();
  }
}

/** The list of the start page, a search or the archive; what is chosen stays chosen. */
async function refreshLibrary() {
  const library = document.querySelector("#library .chosen");
  if (!library) return;
  const page = await loadDocument(location.href).catch(() => null);
  const fresh = page?.querySelector("#library .chosen");
  if (!fresh || isBusy() || !library.isConnected) return;
  const chosen = Array.from(library.querySelectorAll(":checked"), (box) => box.getAttribute("value"));
  keepingFocus(library, () => library.replaceChildren(...fresh.children));
  for (const id of chosen) {
    /** @type {HTMLInputElement | null} */
    const box = library.querySelector(`input[value="${id}"]`);
    if (box) box.checked = true;
  }
  showLocalTimes(library);
}

/**
 * Lets `replace` replace a list's rows; the focus stays on the same part of the same row.
 * @param {Element} list
 * @param {() => void} replace
 */
function keepingFocus(list, replace) {
  const focus = list.contains(document.activeElement) ? document.activeElement : null;
  const row = focus?.closest("li");
  replace();
  /** @type {HTMLElement | null | undefined} */
  const same = row && list.querySelector(`[data-id="${row.dataset.id}"] ${focus?.localName}`);
  same?.focus();
}
