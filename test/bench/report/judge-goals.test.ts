import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFigures, type Figures } from "../../../bench/report/figures.js";
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

function round(measured: { us: number; them?: number; measure?: string }): Figures {
  const figures = createFigures();
  figures.record(measured.measure ?? "jobs/s", "us", measured.us);
  if (measured.them !== undefined)
    figures.record(measured.measure ?? "jobs/s", "them", measured.them);
  return figures;
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
    it(`is ${verdict} at ${us / 10} of what is asked`, () => {
      assert.equal(judgeGoals([FASTER], [round({ us, them: 10 })])[0]?.verdict, verdict);
    });
  }

  it(
    "of which less is better is judged the other way round, and by itself where there is " +
      "no peer",
    () => {
      const verdicts = [201, 200, 120].map(
        (us) => judgeGoals([LIGHTER], [round({ us, measure: "MB" })])[0],
      );
      assert.deepEqual(
        verdicts.map((judged) => judged?.verdict),
        ["UNDER FLOOR", "floor", "goal"],
      );
      assert.equal(verdicts[0]?.peer, null);
    },
  );

  it("that asks nothing has no verdict, and one that was not measured no line", () => {
    const { floor: _floor, goal: _goal, beyond: _beyond, ...shown } = FASTER;
    assert.deepEqual(
      judgeGoals([shown, LIGHTER], [round({ us: 1, them: 2 })]).map(({ verdict }) => verdict),
      [""],
    );
    assert.deepEqual(judgeGoals([FASTER], [round({ us: 1 })]), []);
  });
});
