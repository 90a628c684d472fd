/**
 * What is said of the connection.
 */

const QUIET_MS = 1500; // a connection that is back sooner was never missed

const STATUSES = {
  lost: "Offline, will reconnect. What you send waits here until then.",
  flooded: "That was too much at once. Going on more slowly.",
};

let timer;

/** Shows how the connection stands; on the page `data-offline` says so too, so that nothing turns that waits for nothing. */
export function showConnection(page, status) {
  clearTimeout(timer);
  const tell = () => {
    page.querySelector("#connection").textContent = STATUSES[status] ?? "";
    page.toggleAttribute("data-offline", status !== "open");
  };
  if (status === "lost") timer = setTimeout(tell, QUIET_MS);
  else tell();
  page.querySelector("#signed-out").hidden = status !== "signed-out";
}
