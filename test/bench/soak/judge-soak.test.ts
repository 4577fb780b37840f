import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeSoak } from "../../../bench/soak/judge-soak.js";

const HEAP = "api: heap after collection, MB";
const LISTENERS = "api: listeners";

function verdictOf(
  name: string,
  { start, end, underLoad }: { start: number; end: number; underLoad: number[] },
): string | undefined {
  const samples = underLoad.map((value, minutes) => ({ minutes, sample: { [name]: value } }));
  return judgeSoak({ start: { [name]: start }, end: { [name]: end }, underLoad: samples })[0]
    ?.verdict;
}

describe("a measured value of the soak", () => {
  it("has returned when its value at rest is as before, even after a high peak", () => {
    assert.equal(
      verdictOf(LISTENERS, { start: 100, end: 102, underLoad: [900, 1100, 900, 1200] }),
      "returned",
    );
    assert.equal(verdictOf(HEAP, { start: 50, end: 53, underLoad: [54, 55, 53, 55] }), "returned");
  });

  it("has not returned when it stays higher than caches explain", () => {
    assert.equal(
      verdictOf(LISTENERS, { start: 100, end: 140, underLoad: [900, 900, 900, 900] }),
      "DID NOT RETURN",
    );
    assert.equal(
      verdictOf(HEAP, { start: 50, end: 70, underLoad: [54, 55, 53, 55] }),
      "DID NOT RETURN",
    );
  });

  it("kept rising when a heap grew in the second half, even if it shrinks afterwards", () => {
    assert.equal(
      verdictOf(HEAP, { start: 50, end: 50, underLoad: [50, 55, 60, 75, 90, 105] }),
      "KEPT RISING",
    );
    assert.equal(
      verdictOf(HEAP, { start: 50, end: 50, underLoad: [50, 65, 80, 81, 80, 81] }),
      "returned",
    );
  });
});

describe("a table during the soak", () => {
  const ROWS = "rows: queued_jobs";
  const LATE = "late, s: queued_jobs";

  it("has stopped growing when its number of rows stays within a band", () => {
    const underLoad = [0, 2000, 6000, 6100, 6000, 6200, 6100, 6050];
    assert.equal(verdictOf(ROWS, { start: 0, end: 10, underLoad }), "returned");
  });

  it("kept rising when rows grow in the second half of the load", () => {
    const underLoad = [0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000];
    assert.equal(verdictOf(ROWS, { start: 0, end: 10, underLoad }), "KEPT RISING");
  });

  it("is cleaned too late when an expired row existed for more than a minute", () => {
    assert.equal(verdictOf(LATE, { start: 0, end: 0, underLoad: [12, 61, 14, 12] }), "TOO LATE");
    assert.equal(verdictOf(LATE, { start: 0, end: 0, underLoad: [12, 40, 59, 12] }), "returned");
  });
});
