/**
 * The switch of the theme: a choice is seen at once, and kept by the server in a cookie of this browser.
 */

import { inside } from "./dom.js";

/** Takes the place of the form's button. */
export function switchThemes(form) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => {
    const body = new FormData(form);
    show(String(body.get("theme")));
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => form.submit()); // the browser says what is wrong
  });
}

function show(theme) {
  const root = document.documentElement;
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  inside(document, "meta[name=color-scheme]").setAttribute("content", theme || "light dark");
}
