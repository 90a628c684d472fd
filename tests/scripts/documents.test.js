import assert from "node:assert/strict";
import { test } from "node:test";
import { loadDocument, once } from "../../conversations/static/conversations/lib/documents.js";

test("the server can tell what a script fetches from a page that is seen", async () => {
  const headers = new Map();
  globalThis.XMLHttpRequest = /** @type {any} */ (
    class {
      status = 200;
      response = "a document";
      open() {}
      setRequestHeader(name, value) {
        headers.set(name, value);
      }
      send() {
        this.onload();
      }
    }
  );
  assert.equal(await loadDocument("/"), "a document");
  assert.equal(headers.get("X-Requested-With"), "XMLHttpRequest");
});

test("what is loaded once is tried again after a failure, and then kept", async () => {
  const answers = [() => Promise.reject(Error("offline")), () => Promise.resolve("rows")];
  const rows = once(() => answers.shift()?.() ?? Promise.reject(Error("loaded again")));
  const [one, other] = await Promise.allSettled([rows(), rows()]);
  assert.deepEqual([one.status, other.status], ["rejected", "rejected"]);
  assert.equal(await rows(), "rows");
  assert.equal(await rows(), "rows");
});
