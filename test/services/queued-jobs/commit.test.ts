import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCommitter } from "../../../src/services/queued-jobs/commit.js";
import type { Hinted, Step } from "../../../src/services/queued-jobs/statements.js";
import { silentLog } from "../../support/runner/silent-log.js";

const queuedJob = { id: "1", userId: "ann", jobName: "echo", priority: 0, runAt: null };
const due: Hinted = { run: 1, requestId: "request", pending: 1, queuedJob };
const step = {
  type: "SUCCEEDED",
  seq: 1,
  at: "2026-11-30T12:00:00Z",
  queuedJob,
  effects: { due: [due], cancelling: [] },
} as unknown as Step;

/** The queue takes hints only when `open` is called. */
function createSlowQueue() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const committer = createCommitter({
    bus: { publish: () => {} },
    dispatcher: { add: () => opened, remove: async () => {} },
    log: silentLog,
    cancelMarked: async () => [],
  });
  const change = { step: "succeed", write: async () => [step], eventsOf: () => [step] } as const;
  return { committer, change, open: () => open() };
}

describe("a committer", () => {
  it("commits a step when its successors have hints", async () => {
    const { committer, change, open } = createSlowQueue();
    let isOver = false;
    const committed = committer.commit(change).then(() => (isOver = true));
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    open();
    await committed;
  });

  it("records a step before its successors have hints", async () => {
    const { committer, change, open } = createSlowQueue();
    const { written, followed } = await committer.record(change);
    let hasFollowed = false;
    const over = followed.then(() => (hasFollowed = true));
    await new Promise(setImmediate);
    assert.deepEqual([written, hasFollowed], [[step], false]);
    open();
    await over;
  });
});
