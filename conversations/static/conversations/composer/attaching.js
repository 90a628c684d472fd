/**
 * The files of a message that is being written: chosen, dropped or pasted, taken to the server one by one, and kept there until it is sent.
 */
import { byId, closestTo, fromTemplate, inside, setText } from "../lib/dom.js";
import { visible } from "../lib/format.js";
import { aboutFile, addressOf } from "../transcript/files.js";
import { problemOf } from "./rules.js";
import { upload } from "./uploading.js";

const UNDER_WAY = "It is sent as soon as its files are there.";
const FIRST_FRAME = "if it moves, the model gets its first frame";
const REMOVE_FIRST = "A file could not be attached. Remove it, or attach another in its place.";

/** @typedef {{element: HTMLElement, name: string, facts?: AttachedFile, problem: string, stop: ReturnType<typeof upload>}} Entry */

/** `refuse(reason)` says why something was not done, "" when that is over; `begin()` makes a conversation where there is none yet. */
export class Attaching {
  /**
   * @param {HTMLFormElement} form
   * @param {(reason: string) => void} refuse
   * @param {() => Promise<string>} begin
   */
  constructor(form, refuse, begin = () => Promise.reject(Error("There is no conversation."))) {
    this.form = form;
    this.refuse = refuse;
    this.begin = begin;
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {(() => void) | null} */
    this.whenReady = null;
    this.list = byId("attached");
    /** @type {Record<string, FileRules>} */
    this.rules = JSON.parse(this.list.dataset.rules || "{}");
    this.giveBack(JSON.parse(this.list.dataset.unsent || "[]"));
    /** @type {Promise<string> | undefined} */
    this.place = undefined;
    this.listen();
  }

  listen() {
    const choice = byId("files");
    const attach = byId("attach");
    attach.hidden = false;
    attach.addEventListener("click", () => choice.click());
    choice.addEventListener("change", () => {
      this.add(choice.files ?? []);
      choice.value = "";
    });
    this.form.addEventListener("paste", (event) => this.paste(event));
    document.addEventListener("change", (event) => {
      if (closestTo(event, "select[name=model]")) this.check();
    });
    this.listenToDrops();
  }

  listenToDrops() {
    /** @param {DragEvent} event */
    const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    /** @param {boolean} isOver */
    const mark = (isOver) => this.form.toggleAttribute("data-drop", isOver);
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || mark(false));
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(false);
      this.add(event.dataTransfer?.files ?? []);
    });
  }

  /**
   * Takes pasted files; beside a text they are a picture of it, and the text is meant.
   * @param {ClipboardEvent} event
   */
  paste(event) {
    const data = event.clipboardData;
    if (!data?.files.length || data.types.includes("text/plain")) return;
    event.preventDefault();
    this.add(data.files);
  }

  /**
   * Takes files in, each with a line of its own.
   * @param {Iterable<File>} files
   */
  add(files) {
    this.refuse("");
    for (const file of files) this.takeUp(file);
    byId("message").focus({ preventScroll: true });
  }

  /** @param {File} file */
  takeUp(file) {
    const entry = this.enter(file.name);
    const bar = inside(entry.element, "progress");
    bar.hidden = false;
    entry.stop = upload(() => this.address(), this.list.dataset.token ?? "", file, {
      progress: (part) => {
        bar.value = part;
      },
      done: (facts) => this.describe(entry, facts),
      failed: (reason) => this.settle(entry, reason),
    });
  }

  /** Where files are taken to: for all of them the same conversation. */
  address() {
    const { address } = this.list.dataset;
    this.place ??= address ? Promise.resolve(address) : this.begin().then((page) => `${page}attachments/`);
    this.place.catch(() => {
      this.place = undefined;
    });
    return this.place;
  }

  /**
   * @param {string} name
   * @returns {Entry}
   */
  enter(name) {
    const element = fromTemplate("attached-template");
    const entry = { element, name: visible(name), problem: "", stop: () => null };
    setText(inside(element, ".file-name"), entry.name);
    const remove = inside(element, "button");
    remove.setAttribute("aria-label", `Remove ${entry.name}`);
    remove.addEventListener("click", () => this.remove(entry));
    this.entries.push(entry);
    this.list.append(element);
    this.list.hidden = false;
    return entry;
  }

  /**
   * @param {Entry} entry
   * @param {AttachedFile} facts
   */
  describe(entry, facts) {
    entry.facts = facts;
    entry.name = visible(facts.name);
    const { element } = entry;
    setText(inside(element, ".file-name"), entry.name);
    const limit = facts.format === "gif" ? ` · ${FIRST_FRAME}` : "";
    setText(inside(element, ".file-about"), aboutFile(facts) + limit);
    inside(element, "button").setAttribute("aria-label", `Remove ${entry.name}`);
    const image = inside(element, "img");
    if (facts.kind === "image") image.src = `${addressOf(facts)}?thumbnail`;
    image.hidden = facts.kind !== "image";
    this.settle(entry, "");
  }

  /**
   * @param {Entry} entry
   * @param {string} reason
   */
  settle(entry, reason) {
    inside(entry.element, "progress").hidden = true;
    entry.problem = reason;
    this.check();
    if (!this.isBusy()) this.goOn();
  }

  // Once all files are there: what waited for them is done, unless one of them is no good.
  goOn() {
    const { whenReady } = this;
    this.whenReady = null;
    if (whenReady) whenReady();
  }

  /** Says beside each file what is wrong with it, for the model that is chosen now. */
  check() {
    const rules = this.rulesNow();
    const files = [];
    for (const entry of this.entries) {
      if (entry.facts) files.push(entry.facts);
      const reason = entry.problem || (entry.facts && rules ? problemOf(files, rules) : "");
      const place = failureOf(entry);
      setText(place, reason);
      place.hidden = !reason;
    }
  }

  /** @returns {FileRules | undefined} */
  rulesNow() {
    /** @type {HTMLSelectElement | null} */
    const choice = document.querySelector("select[name=model]");
    const { model = "" } = this.list.dataset;
    return this.rules[choice?.value ?? model] ?? this.rules[model];
  }

  isBusy() {
    return this.entries.some(({ facts, problem }) => !facts && !problem);
  }

  /**
   * Why the message cannot be sent, "" where it can. `whenReady` is called once files that are on their way are there; a `second` model,
   * by its id, is asked too.
   * @param {() => void} whenReady
   * @param {string} [second]
   */
  problem(whenReady, second = "") {
    this.check();
    const wrong = this.entries.find((entry) => !failureOf(entry).hidden);
    if (wrong) return wrong.facts ? failureOf(wrong).textContent : REMOVE_FIRST;
    if (!this.isBusy()) return this.refusedBy(second);
    this.whenReady = whenReady;
    return UNDER_WAY;
  }

  /** @param {string} model */
  refusedBy(model) {
    return this.rules[model] ? problemOf(this.attached, this.rules[model]) : "";
  }

  /** The files that are there. */
  get attached() {
    return this.entries.flatMap(({ facts }) => facts ?? []);
  }

  /** Hands the files over, which are then no longer here. */
  take() {
    const files = this.attached;
    for (const { element } of this.entries) element.remove();
    this.entries = [];
    this.list.hidden = true;
    return files;
  }

  /**
   * Removes the files that a message on its way has.
   * @param {AttachedFile[]} files
   */
  letGo(files) {
    const ids = new Set(files.map(({ id }) => id));
    for (const { facts, element } of this.entries) if (facts && ids.has(facts.id)) element.remove();
    this.entries = this.entries.filter(({ facts }) => !facts || !ids.has(facts.id));
    this.list.hidden = !this.entries.length;
  }

  /** @param {AttachedFile[]} files */
  giveBack(files) {
    const here = new Set(this.entries.map(({ facts }) => facts?.id));
    for (const facts of files) if (!here.has(facts.id)) this.describe(this.enter(facts.name), facts);
  }

  /**
   * Removes a file; the focus goes to the next one, or else to what is written.
   * @param {Entry} entry
   */
  remove(entry) {
    const at = this.entries.indexOf(entry);
    this.forget(entry.facts ?? entry.stop());
    entry.element.remove();
    this.entries.splice(at, 1);
    this.list.hidden = !this.entries.length;
    this.refuse("");
    const next = this.entries[at] ?? this.entries[at - 1];
    const place = next ? inside(next.element, "button") : byId("message");
    place.focus({ preventScroll: true });
    this.check();
    if (!this.isBusy()) this.goOn();
  }

  /**
   * Lets the server forget a file; one that is not reached forgets it after a day.
   * @param {ReturnType<Entry["stop"]> | AttachedFile} file
   */
  forget(file) {
    const options = {
      method: "DELETE",
      headers: { "X-CSRFToken": this.list.dataset.token ?? "" },
      keepalive: true,
    };
    const answer = Promise.resolve(file).then((facts) => facts && fetch(addressOf(facts), options));
    this.deletions = Promise.allSettled([this.deletions, answer]);
  }
}

/**
 * Where a file's line says what is wrong with it.
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
const failureOf = ({ element }) => inside(element, ".failure");
