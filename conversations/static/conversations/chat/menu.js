/**
 * The conversation's menu: a click elsewhere and Escape close it.
 */
const menu = document.querySelector("details.menu");

document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
