/**
 * What is told of a turn that failed: which side it was, what it said, and the id to quote. The server's pages have the same from
 * templates/conversations/failed.html.
 */
import { fromTemplate, setText } from "../lib/dom.js";
import { visible } from "../text/markdown.js";

/** Brings the failure above a turn's foot in line with the turn; `words` are the page's sentences. */
export function drawFailure(foot, { id, error }, words) {
  const old = foot.querySelector(".failed");
  if (!error) return void old?.remove();
  const box = old ?? foot.insertBefore(fromTemplate("failed-template"), foot.firstElementChild);
  const [what, rest] = halves(visible(error.message));
  write(box, ".side", words.failed[error.code ?? ""] ?? words.failed[""]);
  write(box, "strong", what);
  box.querySelector(".failure").replaceChildren(box.querySelector("strong"), rest);
  write(box, ".quoted", words.quote[error.requestId ? "request" : "turn"]);
  write(box, "code", visible(error.requestId ?? id));
  box.querySelector("[data-copy]").hidden = false;
}

const write = (box, selector, text) => setText(box.querySelector(selector), text);

// The first sentence, and what follows it.
function halves(text) {
  const end = text.indexOf(". ");
  return end < 0 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 1)];
}
