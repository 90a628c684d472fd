/**
 * The switch of the theme: a choice is seen at once, and kept by the server in a cookie of this browser.
 */

import { inside } from "./dom.js";

/**
 * Takes the place of the form's button.
 * @param {HTMLFormElement} form
 */
export function switchThemes(form) {
  inside(form, "button").hidden = true;
  form.addEventListener("change", () => {
    const body = new FormData(form);
    show(String(body.get("theme")));
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => form.submit()); // the browser says what is wrong
  });
}

/** @param {string} theme */
function show(theme) {
  const root = document.documentElement;
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  inside(document, "meta[name=color-scheme]").setAttribute("content", theme || "light dark");
}
