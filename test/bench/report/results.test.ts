import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createMeasurements } from "../../../bench/report/figures.js";
import { goalsOf } from "../../../bench/report/goals.js";
import { judgeGoals } from "../../../bench/report/judge-goals.js";
import {
  appendResults,
  readCircumstances,
  renderResults,
  type Run,
} from "../../../bench/report/results.js";
import { FULL } from "../../../bench/scale.js";

function runOf(...jobsPerSecond: number[]): Run {
  const rounds = jobsPerSecond.map((ours) => {
    const measurements = createMeasurements();
    measurements.record("completed and delivered/s", "the service", ours);
    measurements.record("completed and delivered/s", "naive", 100);
    return measurements;
  });
  return {
    release: "1.2.3",
    date: new Date("2026-02-03T04:05:06Z"),
    commit: "abc1234",
    machine: "2 × A Processor, 8 GB, linux",
    node: "v20.0.0",
    rounds: rounds.length,
    coresElsewhere: 0.25,
    judged: judgeGoals(goalsOf(FULL), rounds),
    notMeasured: [],
  };
}

describe("the results of a run", () => {
  it("name release, date, commit and machine, and show medians, ratios and spread", () => {
    const [title, , circumstances, , head, , row, ...rest] = renderResults(
      runOf(600, 500, 750),
    ).split("\n");
    assert.equal(title, "## 1.2.3, 2026-02-03");
    assert.equal(
      circumstances,
      "Commit abc1234. 2 × A Processor, 8 GB, linux, Node v20.0.0. 3 rounds; other processes " +
        "used at most 0.3 cores.",
    );
    assert.match(head ?? "", /measure .* ours .* peer .* ratio .* spread/);
    assert.match(row ?? "", /W1 .* 600 .* 100 .* 6\.00× .* 50 % .* goal/);
    assert.deepEqual(rest, [""]);
  });

  it("say which measurements of peers failed", () => {
    const sentence = "W9, BullMQ flows: only 9999 of 10000 jobs have ended";
    const section = renderResults({ ...runOf(600), notMeasured: [sentence] });
    assert.ok(section.endsWith(` |\n\nNot measured: ${sentence}.\n`));
  });

  it("are appended after the earlier ones, under one title", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "photo-service-results-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "RESULTS.md");
    for (const release of ["1.0.0", "1.1.0"])
      appendResults(renderResults({ ...runOf(600), release }), path);
    const headings = readFileSync(path, "utf8").match(/^#.*$/gm);
    assert.deepEqual(headings, [
      "# Results of the bench",
      "## 1.0.0, 2026-02-03",
      "## 1.1.0, 2026-02-03",
    ]);
  });

  it("name this machine and this commit", () => {
    const { release, commit, machine, node } = readCircumstances();
    assert.match(release, /^\d+\.\d+\.\d+/);
    assert.match(commit, /^([0-9a-f]{7,}( and changes)?|unknown)$/);
    assert.match(machine, /^\d+ × .+, \d+ GB, \w+$/);
    assert.equal(node, process.version);
  });
});
