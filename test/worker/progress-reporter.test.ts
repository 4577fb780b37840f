import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import type { Claimed } from "../../src/services/queued-jobs/claim.js";
import { createProgressReporter } from "../../src/worker/progress-reporter.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";

const claimed = { id: "1", attempt: 1 } as Claimed;

/** Records each write with its time. */
function recorder(record: () => Promise<boolean> = async () => true) {
  const recorded: { progress: number; message: string | null; at: number }[] = [];
  const reporter = createProgressReporter(
    {
      queuedJobs: {
        progress: (_claimed, progress, message) => (
          recorded.push({ progress, message, at: performance.now() }),
          record()
        ),
      },
      log: silentLog,
    },
    claimed,
  );
  return { recorded, reporter, values: () => recorded.map(({ progress }) => progress) };
}

describe("the progress of an attempt", () => {
  it("is recorded after 100 ms and then every 250 ms, with the latest report", async () => {
    const startedAt = performance.now();
    const { recorded, reporter, values } = recorder();
    for (let step = 1; step <= 100; step++) reporter.report(step / 200);
    await eventually("the latest report is recorded", () => values().includes(0.5));
    reporter.report(0.6);
    await eventually("the next one is recorded too", () => values().includes(0.6));
    await reporter.stop();
    assert.deepEqual(values(), [0.5, 0.6]);
    // Timers use the clock of the event loop, which stands still while the process waits for a
    // processor. On a busy machine, 250 ms therefore look shorter.
    for (const [i, { at }] of recorded.entries()) {
      const [before, least] = i === 0 ? [startedAt, 50] : [recorded[i - 1]?.at ?? startedAt, 125];
      assert.ok(at - before > least, `${at - before} ms`);
    }
  });

  it("never decreases, stays between 0 and 1, and has a bounded message", async () => {
    const { recorded, reporter } = recorder();
    reporter.report(-3, "x".repeat(1000));
    await eventually("the first is recorded", () => recorded.length === 1);
    reporter.report(0.7);
    reporter.report(0.2, "later");
    await eventually("both are recorded", () => recorded.length === 2);
    reporter.report(17);
    await eventually("the third is", () => recorded.length === 3);
    await reporter.stop();
    assert.deepEqual(
      recorded.map(({ progress, message }) => [progress, message]),
      [
        [0, "x".repeat(200)],
        [0.7, "later"],
        [1, null],
      ],
    );
  });

  it("is not recorded after a stop, which waits for the write under way", async () => {
    let done: (value: boolean) => void = () => {};
    const { reporter, values } = recorder(() => new Promise((resolve) => (done = resolve)));
    reporter.report(0.1);
    await eventually("it is under way", () => values().length === 1);
    reporter.report(0.2);
    let stopped = false;
    const stopping = reporter.stop().then(() => (stopped = true));
    await pause(20);
    assert.equal(stopped, false);
    done(true);
    await stopping;
    reporter.report(0.3);
    await pause(300);
    assert.deepEqual(values(), [0.1]);
  });

  it("may fail to be recorded without harm", async () => {
    const { reporter, values } = recorder(() =>
      Promise.reject(
        new ServiceUnavailableError("The database is unavailable; try again in a moment."),
      ),
    );
    reporter.report(0.1);
    await eventually("it is tried", () => values().length === 1);
    reporter.report(0.2);
    await eventually("it tries the next all the same", () => values().length === 2);
    await reporter.stop();
  });
});
