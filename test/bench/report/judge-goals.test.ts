import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMeasurements, type Measurements } from "../../../bench/report/figures.js";
import type { Goal } from "../../../bench/report/goals.js";
import { judgeGoals } from "../../../bench/report/judge-goals.js";

const FASTER: Goal = {
  workload: "W1",
  title: "jobs/s",
  ours: { measure: "jobs/s", of: "us" },
  peer: { measure: "jobs/s", of: "them" },
  floor: 2,
  goal: 4,
  beyond: 8,
};
const LIGHTER: Goal = {
  workload: "memory",
  title: "MB",
  ours: { measure: "MB", of: "us" },
  peer: null,
  less: true,
  floor: 200,
  goal: 120,
};

function round(measured: { us: number; them?: number; measure?: string }): Measurements {
  const measurements = createMeasurements();
  measurements.record(measured.measure ?? "jobs/s", "us", measured.us);
  if (measured.them !== undefined)
    measurements.record(measured.measure ?? "jobs/s", "them", measured.them);
  return measurements;
}

describe("a goal of the bench", () => {
  it("is judged by the median of the ratios of each round, not by the ratio of medians", () => {
    const [judged] = judgeGoals(
      [FASTER],
      [round({ us: 10, them: 10 }), round({ us: 500, them: 100 }), round({ us: 90, them: 20 })],
    );
    assert.deepEqual(judged, {
      goal: FASTER,
      ours: 90,
      peer: 20,
      value: 4.5,
      spread: 4,
      verdict: "goal",
    });
  });

  for (const [us, verdict] of [
    [19, "UNDER FLOOR"],
    [20, "floor"],
    [40, "goal"],
    [80, "beyond"],
  ] as const) {
    it(`has the verdict "${verdict}" at a ratio of ${us / 10}`, () => {
      assert.equal(judgeGoals([FASTER], [round({ us, them: 10 })])[0]?.verdict, verdict);
    });
  }

  it("can ask for less instead of more, and judges the number itself without a peer", () => {
    const verdicts = [201, 200, 120].map(
      (us) => judgeGoals([LIGHTER], [round({ us, measure: "MB" })])[0],
    );
    assert.deepEqual(
      verdicts.map((judged) => judged?.verdict),
      ["UNDER FLOOR", "floor", "goal"],
    );
    assert.equal(verdicts[0]?.peer, null);
  });

  it("has no verdict without numbers, and is left out without measurements", () => {
    const { floor: _floor, goal: _goal, beyond: _beyond, ...shown } = FASTER;
    assert.deepEqual(
      judgeGoals([shown, LIGHTER], [round({ us: 1, them: 2 })]).map(({ verdict }) => verdict),
      [""],
    );
    assert.deepEqual(judgeGoals([FASTER], [round({ us: 1 })]), []);
  });
});
