// The work of a worker that closes.
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { LANES } from "../../../src/queue/hint-queue.js";
import { eventually } from "../../support/runner/eventually.js";
import { childTask, testTask } from "../worker-scene.js";
import { createTaskWorkerScene, type TaskWorkerScene } from "./task-worker-scene.js";

const obedient = testTask("obedient", ({ signal }) => wait(60_000, undefined, { signal }));
const brief = testTask("brief", () => wait(300, null));

describe("a worker", () => {
  let scene: TaskWorkerScene;
  before(async () => {
    scene = await createTaskWorkerScene([obedient, brief, childTask("child")]);
  });
  afterEach(() => scene.closeOpened());
  after(() => scene.close());

  it("lets running tasks finish when it closes, and takes no more hints", async () => {
    const worker = scene.open();
    const running = await scene.submit("brief");
    await eventually("it runs", async () => (await scene.statusOf(running)) === "STARTED");
    assert.equal(worker.idleReason(), null);
    const closed = worker.close();
    assert.equal(worker.idleReason(), "it is closing");
    const late = await scene.submit("echo");
    await closed;
    assert.deepEqual(
      [await scene.statusOf(running), await scene.statusOf(late), worker.leases.size],
      ["SUCCESS", "PENDING", 0],
    );
    const next = scene.open();
    await eventually(
      "the next worker takes it",
      async () => (await scene.statusOf(late)) === "SUCCESS",
    );
    await next.close();
  });

  it("finishes what it runs while it drains, and takes nothing more until the end of it", async () => {
    const worker = scene.open();
    const running = await scene.submit("brief");
    await eventually("it runs", async () => (await scene.statusOf(running)) === "STARTED");
    worker.drain(true);
    worker.drain(true);
    assert.match(worker.idleReason() ?? "", /^it is draining/);
    assert.equal(worker.isLeaving(), true);
    const waiting = [await scene.submit("echo"), await scene.submit("child")];
    await eventually("it is done", async () => (await scene.statusOf(running)) === "SUCCESS");
    const next = scene.open();
    await eventually("another worker takes the rest", async () =>
      (await Promise.all(waiting.map(scene.statusOf))).every((status) => status === "SUCCESS"),
    );
    await next.close();
    const late = await scene.submit("echo");
    // The draining worker had the time to take it; only the end of draining starts it.
    await wait(300);
    assert.equal(await scene.statusOf(late), "PENDING");
    worker.drain(false);
    assert.equal(worker.idleReason(), null);
    await eventually("it is taken", async () => (await scene.statusOf(late)) === "SUCCESS");
    await worker.close();
  });

  it("puts back unclaimed hints when it closes, for another worker", async () => {
    const { queuedJobs } = scene.core;
    const worker = scene.open(
      {},
      {
        queuedJobs: {
          ...queuedJobs,
          start: () => Promise.reject(new ServiceUnavailableError("The database is unavailable.")),
        },
      },
    );
    const waiting = [await scene.submit("echo"), await scene.submit("child")];
    await eventually("their hints are taken", async () =>
      (
        await Promise.all(
          LANES.map((lane) => scene.inspect(lane, (queue) => queue.getActiveCount())),
        )
      ).every((count) => count === 1),
    );
    await worker.close();
    assert.deepEqual([await scene.hints("worker"), await scene.hints("child")], [1, 1]);
    const next = scene.open();
    await eventually(
      "the next worker has done them",
      async () =>
        (await Promise.all(waiting.map(scene.statusOf))).every((status) => status === "SUCCESS"),
      4000,
    );
    await next.close();
  });

  it("hands back tasks that do not finish in time, and another worker finishes them", async () => {
    const worker = scene.open({ drainMs: 50 });
    const queuedJob = await scene.submit("obedient");
    await eventually("it runs", async () => (await scene.statusOf(queuedJob)) === "STARTED");
    await worker.close();
    assert.deepEqual(
      (await scene.history(queuedJob)).map(({ type }) => type),
      ["QUEUED", "STARTED", "RETRYING"],
    );
    assert.equal((await scene.find(queuedJob))?.error, null);
    const next = scene.open({ drainMs: 50 });
    await eventually(
      "the next worker takes it",
      async () => (await scene.find(queuedJob))?.attempts === 2,
    );
    await scene.core.queuedJobs.cancel(scene.user, queuedJob.id);
    await next.close();
  });
});
