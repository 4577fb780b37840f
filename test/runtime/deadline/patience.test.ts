import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withTimeout } from "../../../src/runtime/deadline.js";

describe("a timeout", () => {
  it("settles as the work does if that is in time", async () => {
    assert.equal(await withTimeout(Promise.resolve("done"), 1000, () => null), "done");
    await assert.rejects(
      withTimeout(Promise.reject(new TypeError("broke")), 1000, () => null),
      { name: "TypeError", message: "broke" },
    );
  });

  it("resolves with the late result, and ignores a later rejection", async () => {
    let fail: (error: Error) => void = () => {};
    assert.equal(
      await withTimeout(new Promise((_, reject) => (fail = reject)), 5, () => null),
      null,
    );
    fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
