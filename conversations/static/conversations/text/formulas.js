/**
 * Formulas as they are printed, by KaTeX, which is fetched when the first one is there. Its nodes are made by script and styled through
 * CSSOM, as the policy of the page asks; commands that link, load or name (`\href`, `\includegraphics`, `\htmlData`) are not trusted.
 */
import { style } from "../lib/styles.js";
import { dress } from "./morph.js";

const OPTIONS = { throwOnError: true, trust: false, strict: "ignore", maxSize: 20, maxExpand: 1000 };
const DELIMITERS = /^(?:\$\$?|\\[([])|(?:\$\$?|\\[)\]])$/g;

/** @typedef {typeof import("../vendor/katex/katex.mjs").default} Katex */

/** @type {Katex | false | null} */
let katex = null; // false when it cannot be had
/** @type {Promise<Katex> | undefined} */
let loading;

function ask() {
  loading ??= Promise.all([import("../vendor/katex/katex.mjs"), fonts()]).then(
    ([{ default: library }]) => library,
  );
  loading.then(
    (library) => (katex = library),
    () => (katex = false),
  );
}

async function fonts() {
  await style(new URL("../vendor/katex/katex.css", import.meta.url));
  await Promise.all(["Main", "Math"].map((name) => document.fonts.load(`1em KaTeX_${name}`)));
}

/**
 * Prints the formula whose source stands in the element; a wrong one stays as it is. False while the library is on its way.
 * @param {Element} element
 */
export function typeset(element) {
  if (katex === null) ask();
  if (!katex) return katex === false;
  const source = element.textContent;
  const box = document.createElement("span");
  dress(element, source);
  try {
    const displayMode = element.classList.contains("displayed");
    katex.render(source.replace(DELIMITERS, ""), box, { ...OPTIONS, displayMode });
    element.replaceChildren(...box.childNodes);
    element.classList.add("printed");
  } catch {
    // what cannot be understood is read as it was written
  }
  return true;
}
