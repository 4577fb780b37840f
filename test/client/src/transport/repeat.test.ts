import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backOff } from "../../../../client/src/transport/repeat.js";

describe("the wait before a repetition", () => {
  it("grows with the failures up to ten seconds, and differs between clients", () => {
    for (const [failures, most] of [
      [0, 250],
      [3, 2000],
      [50, 10_000],
    ] as const) {
      const waits = new Set(Array.from({ length: 100 }, () => backOff(failures)));
      assert.ok(Math.min(...waits) >= most / 2 && Math.max(...waits) <= most);
      assert.ok(waits.size > 1);
    }
  });
});
