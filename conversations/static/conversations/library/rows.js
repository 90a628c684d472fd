/**
 * What is done with the conversations of a list: renamed in place, pinned, put away, deleted with a way back.
 */
import { all, around, byId, create, inside, setText } from "../lib/dom.js";
import { isComposing } from "../lib/keys.js";
import { nameTab } from "../lib/tab.js";
import { focusRow, Menu } from "./menu.js";
import { Undo } from "./undo.js";

export class Rows {
  /**
   * @param {HTMLElement} sidebar
   * @param {() => Promise<void>} changed shows the lists anew
   */
  constructor(sidebar, changed) {
    this.address = sidebar.dataset.change ?? "";
    this.current = sidebar.dataset.current;
    /** @type {HTMLInputElement} */
    const token = inside(sidebar, "[name=csrfmiddlewaretoken]");
    this.token = token.value;
    this.changed = changed;
    this.menu = new Menu((name, row) => this.act(name, row));
    this.undo = new Undo(byId("undo"), (ids) => this.post("restore", ids));
  }

  /**
   * @param {string} name
   * @param {HTMLElement} row
   */
  act(name, row) {
    if (name === "rename") this.rename(row);
    else if (name === "delete") this.delete(row);
    else this.change(name, row);
  }

  /**
   * Sends an action; a row that leaves its list leaves the focus to the next one.
   * @param {string} name
   * @param {HTMLElement} row
   */
  async change(name, row) {
    const { id = "" } = row.dataset;
    const rows = all(around(row, "#groups, .conversations"), "[data-id]");
    const at = rows.indexOf(row);
    const next = rows[at + 1] ?? rows[at - 1];
    if ((await this.post(name, [id])) && !focusRow(id)) focusRow(next?.dataset.id);
  }

  /**
   * Sends an action and returns the answer. After a failure it says so and returns null.
   * @param {string} action
   * @param {string[]} ids
   * @param {Record<string, string>} [fields]
   */
  async post(action, ids, fields = {}) {
    const body = new URLSearchParams({ action, csrfmiddlewaretoken: this.token, ...fields });
    for (const id of ids) body.append("ids", id);
    const headers = { Accept: "application/json" };
    const answer = await fetch(this.address, { method: "POST", headers, body }).catch(() => null);
    if (!answer?.ok || answer.redirected) {
      this.undo.tell("That did not work. Load the page again and try once more.");
      return null;
    }
    await this.changed();
    return answer.json();
  }

  // -- names

  /** @param {HTMLElement} row */
  rename(row) {
    const link = inside(row, "a");
    const box = Object.assign(create("input", "renaming"), { value: link.textContent, maxLength: 200 });
    if (link.textContent === "Untitled") box.value = "";
    box.setAttribute("aria-label", "New title");
    box.dir = "auto";
    link.hidden = true;
    link.before(box);
    box.focus();
    box.select();
    let isOver = false; // a box that is removed is blurred too
    /** @param {boolean} isKept */
    const end = (isKept) => {
      if (isOver) return;
      isOver = true;
      this.endRenaming(row, box, isKept);
    };
    box.addEventListener("blur", () => end(true));
    box.addEventListener("keydown", (event) => {
      event.stopPropagation(); // no shortcut, and no drawer that Escape closes
      if (isComposing(event) || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      end(event.key === "Enter");
    });
  }

  /**
   * @param {HTMLElement} row
   * @param {HTMLInputElement} box
   * @param {boolean} isKept
   */
  async endRenaming(row, box, isKept) {
    const link = inside(row, "a");
    const title = box.value.trim();
    const hadFocus = document.activeElement === box;
    const { id = "" } = row.dataset;
    link.hidden = false;
    box.remove();
    if (hadFocus) link.focus();
    if (!isKept || !title || title === link.textContent) return;
    const answer = await this.post("rename", [id], { title });
    if (answer && id === this.current) showTitle(answer.title);
  }

  // -- deletions

  /** @param {HTMLElement} row */
  async delete(row) {
    const { id = "" } = row.dataset;
    if (id === this.current) {
      this.leave(id);
      return;
    }
    const title = inside(row, "a").textContent;
    if (await this.post("delete", [id])) this.undo.offer(`“${title}” is deleted.`, [id]);
  }

  /**
   * Deletes the conversation of this page for the start page, which offers the way back.
   * @param {string} id
   */
  leave(id) {
    const form = Object.assign(create("form"), { method: "post", action: this.address });
    const fields = { action: "delete", ids: id, csrfmiddlewaretoken: this.token };
    for (const [name, value] of Object.entries(fields))
      form.append(Object.assign(create("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
  }
}

/** @param {string} title */
function showTitle(title) {
  if (byId("title")) setText(byId("title"), title);
  nameTab(`${title} · Turntable`);
}
