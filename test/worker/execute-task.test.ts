// The course of an attempt, from its hint to its row.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { executeTask } from "../../src/worker/execute-task.js";
import { eventually } from "../support/runner/eventually.js";
import { createAttemptScene, type AttemptScene } from "./execute-task/attempt-scene.js";

describe("an attempt", () => {
  let scene: AttemptScene;
  before(async () => {
    scene = await createAttemptScene();
  });
  after(() => scene.close());

  it("that succeeds records its result", async () => {
    const queuedJob = await scene.submit("answers", { a: [1, "ü", null] });
    await scene.execute(queuedJob);
    const row = await scene.find(queuedJob);
    assert.deepEqual(
      [row?.status, row?.result, row?.progress, row?.attempts, row?.error],
      ["SUCCESS", { a: [1, "ü", null], attempt: 1 }, 1, 1, null],
    );
    assert.deepEqual(await scene.storyOf(queuedJob), ["QUEUED", "STARTED", "SUCCEEDED"]);
    assert.equal(scene.deps.leases.size, 0);
  });

  it("does not start from a hint of an old run or a cancelled QueuedJob", async () => {
    const queuedJob = await scene.submit("answers");
    await scene.core.queuedJobs.cancel(scene.user, queuedJob.id);
    await scene.execute(queuedJob);
    await scene.core.queuedJobs.retry(scene.user, queuedJob.id);
    for (const id of [queuedJob.id, "01930000-0000-7000-8000-000000000000"])
      await executeTask(scene.deps, { id, run: 1, requestId: "test" });
    assert.deepEqual(
      [(await scene.find(queuedJob))?.status, await scene.storyOf(queuedJob)],
      ["PENDING", ["QUEUED", "CANCELLED", "QUEUED"]],
    );
  });

  it("of a light task runs in the worker, and in a child after a worker death", async () => {
    const queuedJob = await scene.submit("here");
    await scene.execute(queuedJob);
    assert.deepEqual((await scene.find(queuedJob))?.result, { pid: process.pid });
    const suspect = await scene.submit("here");
    await scene.core.start(suspect, "dead");
    await scene.core.database.sql`update queued_jobs set lease_until = now() - interval '1 second'
          where id = ${suspect.id}`;
    await scene.core.queuedJobs.takeOverLapsed(10);
    await scene.execute(suspect);
    assert.deepEqual((await scene.find(suspect))?.result, { attempt: 2 }, "what the child says");
  });

  it("in the worker process may make no files", async () => {
    const queuedJob = await scene.submit("files here");
    await scene.execute(queuedJob);
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "TASK_FAILED",
      message: "The task failed unexpectedly.",
    });
  });

  it("in a child after a worker death reports a death without photos", async () => {
    const queuedJob = await scene.submit("answers", { death: "crash" });
    await scene.core.database.sql`update queued_jobs set stalls = 1 where id = ${queuedJob.id}`;
    await scene.execute(queuedJob);
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "TASK_FAILED",
      message: "The process of this attempt died.",
    });
  });

  it("after a worker death holds up no photo job, however long it takes", async () => {
    const lost = await Promise.all([1, 2, 3].map(() => scene.submit("answers", { hang: true })));
    await scene.core.database
      .sql`update queued_jobs set stalls = 1 where id = any(${lost.map(({ id }) => id)})`;
    const running = lost.map((queuedJob) => scene.execute(queuedJob));
    await eventually("they run", async () =>
      (await Promise.all(lost.map(scene.find))).every((row) => row?.status === "STARTED"),
    );
    const photo = await scene.submit("child");
    const photoEnds = scene.execute(photo);
    const isDone = async () => (await scene.find(photo))?.status === "SUCCESS";
    await eventually("the photo job is done", isDone, 10_000);
    await photoEnds;
    for (const { id } of lost) await scene.core.queuedJobs.cancel(scene.user, id);
    await Promise.all(running);
  });

  it("of a task that this worker lacks fails with a message without internal details", async () => {
    const queuedJob = await scene.submit("answers");
    await scene.execute(queuedJob, { catalogue: new Map() });
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "TASK_FAILED",
      message: "The task failed unexpectedly.",
    });
  });

  it("stops after a cancellation, and leaves CANCELLED unchanged", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await scene.submit(job, parameters);
      const running = scene.execute(queuedJob);
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.queuedJobs.cancel(scene.user, queuedJob.id);
      await running;
      assert.deepEqual(
        [(await scene.find(queuedJob))?.status, await scene.storyOf(queuedJob)],
        ["CANCELLED", ["QUEUED", "STARTED", "CANCELLED"]],
      );
      assert.deepEqual(scene.core.stopped.at(-1), queuedJob.id);
    }
  });

  it("that another worker has taken over stops and records nothing more", async () => {
    const queuedJob = await scene.submit("obedient");
    const running = scene.execute(queuedJob);
    await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
    await scene.core.database
      .sql`update queued_jobs set lease_until = now() - interval '1 second', worker = 'frozen'
          where id = ${queuedJob.id}`;
    await scene.core.queuedJobs.takeOverLapsed(10);
    await running;
    assert.deepEqual(await scene.storyOf(queuedJob), ["QUEUED", "STARTED", "RETRYING"]);
    assert.deepEqual((await scene.find(queuedJob))?.error, {
      code: "STALLED",
      message: "The worker of this attempt died or lost its connection.",
    });
  });

  it("with a lost lease records nothing, even before another worker has taken over", async () => {
    for (const [job, parameters] of [
      ["obedient", {}],
      ["child", { hang: true }],
    ] as const) {
      const queuedJob = await scene.submit(job, parameters);
      const running = scene.execute(queuedJob);
      await eventually("it runs", async () => (await scene.find(queuedJob))?.status === "STARTED");
      await scene.core.database
        .sql`update queued_jobs set worker = 'another' where id = ${queuedJob.id}`;
      await running;
      assert.deepEqual(
        [(await scene.find(queuedJob))?.status, await scene.storyOf(queuedJob)],
        ["STARTED", ["QUEUED", "STARTED"]],
      );
    }
  });

  it("leaves nothing in the scratch folder after any outcome", async () => {
    assert.deepEqual(await readdir(scene.deps.storage.scratchFolder), []);
  });
});
