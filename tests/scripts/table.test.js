import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { tableOf } from "../../conversations/static/conversations/cards/table.js";
import { parseNodes } from "../../conversations/static/conversations/lib/json.js";

const columnsOf = (value) =>
  tableOf(parseNodes(typeof value === "string" ? value : JSON.stringify(value)))?.columns;

test("a list of objects of one shape is a table", () => {
  for (const [rows, columns] of [
    [
      [
        { a: 1, b: "x" },
        { a: 2, b: "y" },
      ],
      ["a", "b"],
    ],
    [[{ a: 1 }], ["a"]],
    [
      [{ a: 1, b: 2 }, { b: 3 }, { a: null, b: 4 }],
      ["a", "b"],
    ],
    [
      [
        { a: 1, b: {} },
        { a: 2, b: { c: 3 } },
      ],
      ["a", "b"],
    ],
    [
      [{ a: 1, b: [1] }, { a: 2, b: [] }, { a: 3 }],
      ["a", "b"],
    ],
    [[{ 10: 1, 9: 2 }], ["9", "10"]],
  ])
    assert.deepEqual(columnsOf(rows), columns, JSON.stringify(rows));
});

test("what is of no one shape is none", () => {
  for (const rows of [
    [],
    [1, 2],
    [{ a: 1 }, 2],
    [{ a: 1 }, {}],
    [{ a: [1] }, { a: 2 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [
      { a: 1, b: [1] },
      { a: 2, b: { c: 1 } },
    ],
    [{ a: 1 }, { b: 2 }, { c: 3 }],
    [Object.fromEntries(Array.from({ length: 31 }, (_, n) => [`k${n}`, n]))],
    '[{"a": 1, "a": 2}]',
    { a: 1 },
  ])
    assert.equal(columnsOf(rows), undefined, JSON.stringify(rows));
});
