import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goalsOf } from "../../bench/report/goals.js";
import { judgeGoals } from "../../bench/report/judge-goals.js";
import { WORKLOADS } from "../../bench/read-bench-options.js";
import { renderGoals } from "../../bench/report/render-goals.js";
import { openRig } from "../../bench/rig.js";
import { runBench } from "../../bench/run-bench.js";
import type { Scale } from "../../bench/scale.js";
import { long } from "../support/runner/long.js";

/** Runs through everything, but is too small for meaningful results. */
const TINY: Scale = {
  rounds: 1,
  throughput: { submitters: 4, warmUpJobs: 10, seconds: 0.3, jobs: 10 },
  crowds: { few: 3, many: 5, warmUpJobs: 10, warmUpSeconds: 5, seconds: 0.3, jobs: 10 },
  latency: { perSecond: 50, seconds: 0.2 },
  fanOut: { sockets: [20, 30], seconds: 0.3, settleSeconds: 0 },
  page: { connections: 4, warmUpRequests: 10, seconds: 0.3, requests: 10 },
  history: { few: 1000, many: 2000, seconds: 0.3 },
  thumbnails: { photos: 2 },
  groups: { groups: 2, size: 40 },
  idleSeconds: 0.1,
};

describe("the bench", () => {
  it("measures every goal, with every contestant", long, async () => {
    const rig = await openRig();
    try {
      const { rounds, failures } = await runBench(rig, {
        scale: TINY,
        only: new Set(WORKLOADS),
        json: null,
        profile: null,
        record: false,
        thresholds: null,
        kind: "compare",
        loads: [],
        say: () => {},
      });
      assert.deepEqual(failures, []);
      const judged = judgeGoals(goalsOf(TINY), rounds);
      assert.equal(judged.length, goalsOf(TINY).length);
      // CPU time has a resolution of 10 ms, so it may be zero for so little work.
      assert.deepEqual(
        judged.filter(
          ({ goal, ours }) =>
            !goal.title.includes("CPU") && !goal.title.includes("KB/") && !(ours > 0),
        ),
        [],
      );
      assert.equal(renderGoals(judged).split("\n").length, judged.length + 2);
    } finally {
      await rig.close();
    }
  });
});
