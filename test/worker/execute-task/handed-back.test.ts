// Attempts that end without their own fault, and are not counted.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { createChildPool } from "../../../src/child-pool/child-pool.js";
import { createLeases } from "../../../src/worker/leases.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createAttemptScene, type AttemptScene } from "./attempt-scene.js";

describe("an attempt", () => {
  let scene: AttemptScene;
  before(async () => {
    scene = await createAttemptScene();
  });
  after(() => scene.close());

  it("is handed back, uncounted and due at once, when the worker closes", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await scene.submit(job, parameters);
      const leases = createLeases({
        queuedJobs: scene.core.queuedJobs,
        worker: "test-worker",
        log: silentLog,
      });
      const running = scene.execute(queuedJob, { leases });
      await eventually("it runs", () => leases.size === 1);
      leases.stopAll();
      await running;
      leases.close();
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [
          row?.status,
          row?.attempts,
          row?.error,
          scene.lastHint(queuedJob)?.run,
          scene.lastHint(queuedJob)?.delayMs,
        ],
        ["PENDING", 1, null, 2, 0],
      );
      const again = await scene.core.start(queuedJob);
      assert.deepEqual([again.failures, again.stalls, again.attempt], [0, 0, 2]);
    }
  });

  it("is handed back, uncounted and due later, when the storage is unavailable", async () => {
    const queuedJob = await scene.submit("storeless");
    await scene.execute(queuedJob);
    const row = await scene.find(queuedJob);
    assert.deepEqual(
      [row?.status, row?.error, scene.lastHint(queuedJob)?.delayMs],
      ["PENDING", null, 10_000],
    );
  });

  it("is handed back once, uncounted, when its child is killed from outside", async () => {
    const queuedJob = await scene.submit("child", { death: "killed" });
    for (const expected of [
      ["PENDING", null, 0],
      ["PENDING", "PHOTO_UNREADABLE", 1],
      ["FAILED", "PHOTO_UNREADABLE", 2],
    ] as const) {
      await scene.core.database
        .sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
      await scene.execute(queuedJob);
      const [row] = await scene.core.database.sql<
        { failures: number }[]
      >`select failures from queued_jobs where id = ${queuedJob.id}`;
      const job = await scene.find(queuedJob);
      assert.deepEqual([job?.status, job?.error?.code ?? null, row?.failures], expected);
    }
  });

  it("is handed back, uncounted, when no child can be started", async () => {
    const queuedJob = await scene.submit("child");
    const pool = createChildPool({
      entry: new URL("./no-such-child.js", import.meta.url),
      size: 1,
      memoryLimitBytes: 1e9,
      log: silentLog,
    });
    for (let i = 0; i < 3; i++) {
      await scene.core.database
        .sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
      await scene.execute(queuedJob, { pool });
      const row = await scene.find(queuedJob);
      assert.deepEqual(
        [row?.status, row?.error, scene.lastHint(queuedJob)?.delayMs],
        ["PENDING", null, 10_000],
      );
    }
    await pool.close();
    await scene.core.database.sql`update queued_jobs set due_at = now() where id = ${queuedJob.id}`;
    await scene.execute(queuedJob);
    assert.equal((await scene.find(queuedJob))?.status, "SUCCESS");
  });

  it("leaves nothing in the scratch folder after any outcome", async () => {
    assert.deepEqual(await readdir(scene.deps.storage.scratchFolder), []);
  });
});
