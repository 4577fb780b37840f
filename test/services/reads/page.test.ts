import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cutPage } from "../../../src/services/reads/page.js";

describe("a page", () => {
  const NAMES = ["a", "b", "d", "e"];
  const cut = (size: number, backward: boolean, key: string | null, descending = false) => {
    const names = descending ? NAMES.toReversed() : NAMES;
    const order = { keyOf: (name: string) => name, descending };
    const { rows, hasPrevious, hasNext } = cutPage(names, { size, backward, key }, order);
    return [rows.join(""), hasPrevious, hasNext];
  };

  it("is cut out of a rising list in both directions, with exact flags", () => {
    assert.deepEqual(cut(2, false, null), ["ab", false, true]);
    assert.deepEqual(cut(2, false, "b"), ["de", true, false]);
    assert.deepEqual(cut(1, false, "c"), ["d", true, true]);
    assert.deepEqual(cut(4, false, "0"), ["abde", false, false]);
    assert.deepEqual(cut(2, false, "e"), ["", true, false]);
    assert.deepEqual(cut(3, true, null), ["bde", true, false]);
    assert.deepEqual(cut(2, true, "c"), ["ab", false, true]);
    assert.deepEqual(cut(1, true, "d"), ["b", true, true]);
    assert.deepEqual(cut(4, true, "f"), ["abde", false, false]);
    assert.deepEqual(cut(2, true, "a"), ["", false, true]);
  });

  it("is cut out of a falling list in both directions, with exact flags", () => {
    assert.deepEqual(cut(2, false, null, true), ["ed", false, true]);
    assert.deepEqual(cut(2, false, "c", true), ["ba", true, false]);
    assert.deepEqual(cut(2, true, null, true), ["ba", true, false]);
    assert.deepEqual(cut(1, true, "b", true), ["d", true, true]);
    assert.deepEqual(cut(2, true, "e", true), ["", false, true]);
  });
});
