import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createMeasurements } from "../../../bench/report/figures.js";
import { goalsOf } from "../../../bench/report/goals.js";
import { judgeGoals, type JudgedGoal } from "../../../bench/report/judge-goals.js";
import { acceptRatios, findLosses } from "../../../bench/report/thresholds.js";
import { FULL } from "../../../bench/scale.js";

/** The goals of a run in which these are the ratios to the naive server. */
function runOf({ jobs, p99 }: { jobs?: number; p99?: number }): JudgedGoal[] {
  const measurements = createMeasurements();
  for (const [measure, ratio] of [
    ["completed and delivered/s", jobs],
    ["accept p99 ms", p99],
  ] as const) {
    if (ratio === undefined) continue;
    measurements.record(measure, "the service", 100 * ratio);
    measurements.record(measure, "naive", 100);
  }
  measurements.record("API idle, MB", "the service", 150);
  return judgeGoals(goalsOf(FULL), [measurements]);
}

describe("the thresholds of the bench", () => {
  it("allow a loss of a quarter in a ratio, but not more, whether more or less is better", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "photo-service-thresholds-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "thresholds.json");
    acceptRatios(runOf({ jobs: 8 }), path);
    acceptRatios(runOf({ p99: 0.3 }), path);
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), {
      "W1, completed and delivered/s / naive": 8,
      "W1, accept p99 ms / naive": 0.3,
    });
    assert.deepEqual(findLosses(runOf({ jobs: 6, p99: 0.39 }), path), []);
    assert.deepEqual(findLosses(runOf({ jobs: 5.9, p99: 0.5 }), path), [
      "W1, completed and delivered/s / naive: 5.90× instead of 8×, 26 % worse",
      "W1, accept p99 ms / naive: 0.500× instead of 0.3×, 40 % worse",
    ]);
    assert.deepEqual(findLosses(runOf({ jobs: 80, p99: 0.01 }), path), []);
    assert.deepEqual(findLosses(runOf({}), path), []);
  });
});
