import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isStorable } from "../../src/domain/is-storable.js";

const HALF = "\ud83d";

describe("a value that PostgreSQL can store", () => {
  it("is any text without NUL and without a lone surrogate", () => {
    assert.deepEqual(["", "ü 😀 \u0001", "a\0b", HALF, `${HALF}\ude00`].map(isStorable), [
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it("is any JSON of such texts and keys, at any depth", () => {
    assert.deepEqual(
      [null, 1, { a: [true, { b: "c" }] }, { a: [{ b: "\0" }] }, { [`x${HALF}`]: 1 }, ["\0"]].map(
        isStorable,
      ),
      [true, true, true, false, false, false],
    );
  });
});
