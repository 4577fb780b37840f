import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withTimeout } from "../../../src/runtime/deadline.js";

describe("patience", () => {
  it("gives what the work gives, or throws what it throws, when that is in time", async () => {
    assert.equal(await withTimeout(Promise.resolve("done"), 1000, () => null), "done");
    await assert.rejects(
      withTimeout(Promise.reject(new TypeError("broke")), 1000, () => null),
      { name: "TypeError", message: "broke" },
    );
  });

  it("gives null once it is at its end, and what becomes of the work then harms nobody", async () => {
    let fail: (error: Error) => void = () => {};
    assert.equal(
      await withTimeout(new Promise((_, reject) => (fail = reject)), 5, () => null),
      null,
    );
    fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
