/**
 * A page of older messages, reached without going through the newest: shown, not followed.
 */
import { hydrate } from "./hydrate.js";
import { View } from "./view.js";

new View(document.getElementById("transcript")).render({ ...hydrate(document), queue: [] }, []);
