/**
 * Copy buttons: one on each code block, one below each answer.
 */

const SAID_MS = 2000;

/** `textOf(button)` gives what a button copies, `say(sentence)` tells that it is done. */
export function copyOnClick(textOf, say) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    await copy(textOf(button));
    say("Copied.");
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, SAID_MS);
  });
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  copyThroughSelection(text); // plain http in a local network has no clipboard
}

function copyThroughSelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
}
