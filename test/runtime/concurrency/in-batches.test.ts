import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { inBatches } from "../../../src/runtime/concurrency.js";

describe("work in batches", () => {
  it("returns the results in order and runs at most one batch at a time", async () => {
    let [now, most] = [0, 0];
    const results = await inBatches([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++now);
      await turn();
      now--;
      return item * 2;
    });
    assert.deepEqual([results, most], [[2, 4, 6, 8, 10, 12, 14], 3]);
  });

  it("ends with the first error and starts no further batch", async () => {
    const started: number[] = [];
    await assert.rejects(
      inBatches(
        [1, 2, 3, 4],
        2,
        async (item) => (started.push(item), Promise.reject(new Error(`no ${item}`))),
      ),
      { message: "no 1" },
    );
    assert.deepEqual(started, [1, 2]);
  });
});
