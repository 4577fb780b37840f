import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createJobRows } from "../../../../client/src/live/job-rows.js";
import type { QueuedJob, SentEvent } from "../../../../client/src/types.js";

const row = (version: number, more: Partial<QueuedJob> = {}) =>
  ({
    id: "1",
    version,
    status: "STARTED",
    progress: 0,
    parameters: { steps: 1 },
    photos: [],
    ...more,
  }) as unknown as QueuedJob;
const event = (type: string, version: number, progress = 0) => {
  const { parameters: _, photos: __, ...queuedJob } = row(version, { progress });
  return { type, cursor: "c", at: "", queuedJob } as SentEvent;
};

describe("the rows of a list", () => {
  it("are replaced by newer versions only, and progress does not fall within one", () => {
    const rows = createJobRows();
    rows.keep(row(2, { progress: 0.5 }));
    const state = () => [rows.get("1")?.version, rows.get("1")?.progress];
    for (const [change, expected] of [
      [event("PROGRESS", 2, 0.4), [2, 0.5]],
      [event("PROGRESS", 2, 0.6), [2, 0.6]],
      [event("QUEUED", 1), [2, 0.6]],
      [event("RETRYING", 3, 0), [3, 0]],
    ] as const) {
      rows.apply(change);
      assert.deepEqual(state(), expected, change.type);
    }
    rows.keep(row(2, { progress: 1 }));
    assert.deepEqual(state(), [3, 0]);
    assert.deepEqual(rows.get("1")?.parameters, { steps: 1 });
  });

  it("are incomplete until an answer has their photos, and stay away once deleted", () => {
    const rows = createJobRows();
    rows.apply(event("STARTED", 2));
    assert.deepEqual(rows.takeIncomplete(9), ["1"]);
    assert.deepEqual(rows.takeIncomplete(9), []);
    rows.keep(row(1));
    assert.deepEqual([rows.get("1")?.version, rows.get("1")?.parameters], [2, { steps: 1 }]);
    rows.apply(event("DELETED", 3));
    rows.keep(row(2));
    rows.apply(event("STARTED", 2));
    assert.deepEqual(rows.sorted(), []);
  });
});
