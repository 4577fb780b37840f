import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { readMeasured, renderScale } from "../../../bench/simulate/measure-scale.js";
import {
  coresOf,
  createModel,
  isFromBusyMachine,
  recordOf,
  type ScaleRun,
} from "../../../bench/simulate/model.js";
import { planFor, renderPlans } from "../../../bench/simulate/plan.js";

const measured = readMeasured();
const model = createModel(measured);

describe("the model of a deployment", () => {
  it("predicts the measured rates of 1, 2 and 4 processes within 15 %", () => {
    const busy = measured.runs.filter(({ inFlight }) => inFlight > 1);
    assert.deepEqual(
      busy.map(({ processes }) => processes),
      [1, 2, 4],
    );
    const wrong = busy.flatMap((run) => {
      const deployment = { ...run, cores: coresOf(run, measured.cores) };
      const predicted = model.predict(deployment).jobsPerSecond;
      const error = Math.round((predicted / run.jobsPerSecond - 1) * 100);
      return Math.abs(error) <= 15 ? [] : [`${run.processes} processes: ${error} %`];
    });
    assert.deepEqual(wrong, [], renderScale(measured));
  });

  it("returns the costs that it was given, and between them for fewer jobs under way", () => {
    const [lone, busy] = measured.runs;
    for (const run of [lone, busy]) {
      const { ms, commits } = model.costOf(run?.inFlight ?? 0);
      assert.ok(Math.abs(commits - (run?.commitsPerJob ?? 0)) < 1e-9);
      assert.ok(Math.abs(ms.api - (run?.msPerJob.api ?? 0)) < 1e-9);
    }
    const [few, many] = [model.costOf(1).ms.postgres, model.costOf(64).ms.postgres];
    assert.ok(few > many, `${few} ≤ ${many}`);
  });

  it("names the part with the lowest limit", () => {
    const base = { inFlight: 1, processes: 1, jobsPerSecond: 1, coresElsewhere: 0 };
    const cost = (api: number, postgres: number) => ({
      ...base,
      commitsPerJob: 3,
      msPerJob: { ...recordOf(() => 0.1), api, postgres },
    });
    const runs = [cost(2, 1), { ...cost(2, 1), inFlight: 64, commitsPerJob: 1 }];
    const of = (processes: number, cores: number, more: ScaleRun[] = []) =>
      createModel({ runs: [...runs, ...more], cores: 2 }).predict({
        processes,
        cores,
        inFlight: 64,
      });
    assert.deepEqual(of(1, 16), { jobsPerSecond: 500, bottleneck: "API processes" });
    assert.equal(of(4, 2).bottleneck, "2 cores of the machine");
    assert.equal(Math.round(of(4, 2).jobsPerSecond), Math.round(2000 / 3.3));
    const crowded = { ...cost(2, 1), inFlight: 128, processes: 5, jobsPerSecond: 1000 / 3.3 };
    for (const [processes, slowdown] of [
      [1, 1],
      [3, 1.5],
      [5, 2],
    ] as const)
      assert.equal(
        Math.round(of(processes, 2, [crowded]).jobsPerSecond),
        Math.round(Math.min(500, 2000 / 3.3 / slowdown)),
      );
    assert.throws(() => createModel({ runs: runs.slice(1), cores: 2 }), /Measure one process/);
  });

  it("plans enough for each load, and shards where one primary is not enough", () => {
    const plans = [100, 1000, 10_000, 100_000].map((jobsPerSecond) =>
      planFor(model, { jobsPerSecond, sockets: 10 * jobsPerSecond, workMs: 50 }),
    );
    const [small, , , large] = plans;
    assert.deepEqual([small?.apis, small?.workers, small?.primaries, small?.slots], [2, 2, 1, 1]);
    assert.ok(large && large.primaries > 1 && large.slots > 1 && large.apis >= 100);
    const { ms } = model.costOf(32);
    for (const { load, apis, workers, workCores } of plans) {
      assert.ok((apis * 1000) / ms.api >= load.jobsPerSecond);
      assert.ok((workers * 1000) / ms.worker >= load.jobsPerSecond);
      assert.ok(workCores >= load.jobsPerSecond * 0.05);
    }
  });

  it("is shown in the document on sizing as it computes", () => {
    const rates = [100, 1000, 10_000, 100_000];
    const loads = rates.map((rate) => ({ jobsPerSecond: rate, sockets: 10 * rate, workMs: 100 }));
    const plans = loads.map((load) => planFor(model, load));
    const text = renderPlans(plans, isFromBusyMachine(measured));
    assert.match(text, /\n\nThe first limit .*: .* at [\d,]+ jobs\/s; then .*\.\n$/);
    const advice = "paste what npm run bench -- --simulate --work-ms 100 prints into it";
    assert.ok(readFileSync("deploy/README.md", "utf8").includes(text), advice);
  });
});
