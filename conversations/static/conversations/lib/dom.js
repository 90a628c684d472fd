/**
 * Elements made by script.
 */

/** An element with its class and its content: nodes, or texts that are set as text. */
export function create(tag, name = "", ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

/** A button that does not submit. */
export function button(name, label, press) {
  const made = create("button", name, label);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...content) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

/** A new copy of what a template of the page holds. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Sets the text, if it is another. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Puts what `draw(index)` makes into the list, so many at a time. Returns the button that brings more, or nothing when all is there.
 */
export function fill(list, count, draw, step) {
  let shown = 0;
  const more = button("quiet further", "", () => bringMore());
  const put = () => {
    const end = Math.min(count, shown + step);
    const added = [];
    for (; shown < end; shown += 1) added.push(draw(shown));
    list.append(...added);
    more.textContent = `Show ${Math.min(step, count - shown)} more of ${(count - shown).toLocaleString("en")}`;
    return added[0];
  };
  // The focus goes to the first of what is new once there is no button to press any more.
  const bringMore = () => {
    const first = put();
    if (shown < count) return;
    more.remove();
    first.tabIndex = -1;
    first.focus();
  };
  put();
  return shown < count ? [more] : [];
}

/** Lets a click elsewhere and Escape close a `details` element. */
export function closeOnLeaving(details) {
  document.addEventListener("click", ({ target }) => {
    if (!details.contains(target)) details.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
}
