import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backOffMs } from "../../../../src/services/queued-jobs/attempt.js";

describe("the pause before another attempt", () => {
  const bounds: [failures: number, shortest: number, longest: number][] = [
    [0, 500, 1000],
    [1, 1000, 2000],
    [2, 2000, 4000],
    [8, 128_000, 256_000],
    [9, 150_000, 300_000],
    [5000, 150_000, 300_000],
  ];
  for (const [failures, shortest, longest] of bounds) {
    it(`lies between ${shortest} and ${longest} ms after ${failures + 1} failures`, () => {
      assert.deepEqual(
        [
          backOffMs(failures, () => 0),
          backOffMs(failures, () => 0.5),
          backOffMs(failures, () => 1),
        ],
        [shortest, (shortest + longest) / 2, longest],
      );
    });
  }

  it("is random, so that attempts that failed together do not return together", () => {
    const pauses = Array.from({ length: 100 }, () => backOffMs(9));
    assert.ok(new Set(pauses).size > 50);
    assert.ok(pauses.every((ms) => ms >= 150_000 && ms <= 300_000));
  });
});
