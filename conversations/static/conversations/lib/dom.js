/**
 * Elements: new ones, their texts, and long lists of them.
 */

/**
 * The element of the page with that id: that it is there, the caller knows.
 * @type {<Id extends string, Kind = Named<PageElements, Id>>(id: Id) => Kind}
 */
export const byId = (id) => there(document.getElementById(id));

/**
 * The first element below a root that the selector names: that it is there, the caller knows.
 * @type {Find<ParentNode>}
 */
export const inside = (root, selector) => there(root.querySelector(selector));

/**
 * The same for the nearest element around another, or that itself.
 * @type {Find<Element>}
 */
export const around = (element, selector) => there(element.closest(selector));

/**
 * All elements below a root that the selector names.
 * @type {<Name extends string, Kind = Named<HTMLElementTagNameMap, Name>>(root: ParentNode, selector: Name) => Kind[]}
 */
export const all = (root, selector) => Array.from(root.querySelectorAll(selector), there);

/** @type {(node: Node | null | undefined) => any} */
const there = (node) => node;

/**
 * The element that the selector names, where an event came from or around that.
 * @type {<Tag extends string, Kind = Named<HTMLElementTagNameMap, Tag>>(event: Event, selector: Tag) => Kind | null}
 */
export const closestTo = ({ target }, selector) => there(/** @type {Element} */ (target).closest(selector));

/**
 * An element with its class and its content: nodes, or texts that are set as text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} name
 * @param {(Node | string)[]} content
 */
export function create(tag, name = "", ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

/**
 * A button that does not submit.
 * @param {string} name
 * @param {Node | string} label
 * @param {(event: MouseEvent) => void} press
 */
export function button(name, label, press) {
  const element = create("button", name, label);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

/**
 * An element of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {Node[]} content
 */
export function svg(tag, attributes = {}, ...content) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}

/**
 * A new copy of what a template of the page holds.
 * @type {<Id extends string, Kind = Named<PageTemplates, Id>>(id: Id) => Kind}
 */
export function fromTemplate(id) {
  /** @type {HTMLTemplateElement} */
  const template = byId(id);
  return there(template.content.firstElementChild?.cloneNode(true));
}

/**
 * Sets the text, if it is another.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Fills the list with the elements that `draw(index)` makes, `step` at a time. Returns the button that adds more, as a list, empty when all are there.
 * @param {Element} list
 * @param {number} count
 * @param {(index: number) => HTMLElement} draw
 * @param {number} step
 */
export function fill(list, count, draw, step) {
  let drawn = 0;
  const more = button("quiet further", "", () => bringMore());
  const put = () => {
    const end = Math.min(count, drawn + step);
    const added = [];
    for (; drawn < end; drawn += 1) added.push(draw(drawn));
    list.append(...added);
    more.textContent = `Show ${Math.min(step, count - drawn)} more of ${(count - drawn).toLocaleString("en")}`;
    return added[0];
  };
  // The focus goes to the first of what is new once there is no button to press any more.
  const bringMore = () => {
    const first = put();
    if (drawn < count) return;
    more.remove();
    first.tabIndex = -1;
    first.focus();
  };
  put();
  return drawn < count ? [more] : [];
}

/**
 * Lets a click elsewhere and Escape close a `details` element.
 * @param {HTMLDetailsElement} details
 */
export function closeOnLeaving(details) {
  document.addEventListener("click", ({ target }) => {
    if (!details.contains(/** @type {Node} */ (target))) details.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !details.open) return;
    details.open = false;
    inside(details, "summary").focus();
  });
}
