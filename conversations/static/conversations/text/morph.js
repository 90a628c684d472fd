/**
 * Brings nodes in line with newer ones of the same text, touching only what differs: a selection, a focus, a scrolled box stay.
 */

/**
 * Elements whose content was made from a source, and the source.
 * @type {WeakMap<Node, string>}
 */
const sources = new WeakMap();

/**
 * Notes that an element's content has been made from its text as it was.
 * @param {Element} element
 * @param {string} source
 */
export const dress = (element, source) => sources.set(element, source);

/**
 * The source that an element's content was made from, or else its text.
 * @param {Element} element
 */
export const sourceOf = (element) => sources.get(element) ?? element.textContent;

/**
 * Whether the element's content has been made from its text.
 * @param {Element} element
 */
export const isDressed = (element) => sources.has(element);

/** @type {(old: Node, now: Node) => boolean} */
const isAlike = (old, now) =>
  old.nodeName === now.nodeName && old.cloneNode(false).isEqualNode(now.cloneNode(false));

/**
 * The node that stands where the old one did: the old one changed, or the new one in its place.
 * @template {ChildNode} Kind
 * @param {Kind} old
 * @param {Kind} now
 */
function morph(old, now) {
  if (old instanceof Text && now instanceof Text) return write(old, now.data);
  if (sources.has(old) && old.nodeName === now.nodeName && sources.get(old) === now.textContent) return old;
  if (now.nodeType !== Node.ELEMENT_NODE || sources.has(old) || !isAlike(old, now)) {
    old.replaceWith(now);
    return now;
  }
  morphAll(old, [...old.childNodes], [...now.childNodes]);
  return old;
}

/**
 * Makes the text node say this; what it says already is not written again.
 * @template {Text} Kind
 * @param {Kind} node
 * @param {string} data
 */
function write(node, data) {
  if (data.startsWith(node.data)) {
    if (data.length > node.data.length) node.appendData(data.slice(node.data.length));
  } else node.data = data;
  return node;
}

/**
 * Brings some children of the parent in line with new nodes, and gives those that are there then; `next` stands behind them.
 * @template {ChildNode} Kind
 * @param {Node} parent
 * @param {Kind[]} old
 * @param {Kind[]} now
 * @param {Node | null} next
 */
export function morphAll(parent, old, now, next = null) {
  for (const surplus of old.slice(now.length)) surplus.remove();
  return now.map((node, index) =>
    index < old.length ? morph(old[index], node) : parent.insertBefore(node, next),
  );
}
