import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { LANES, type Hint } from "../../../src/queue/hint-queue.js";
import type { TaskWorker } from "../../../src/worker/task-worker.js";
import { eventually } from "../../support/runner/eventually.js";
import { testTask } from "../worker-scene.js";
import { createTaskWorkerScene, type TaskWorkerScene } from "./task-worker-scene.js";

/** Functions that end the tasks that run. */
const ends: (() => void)[] = [];
const held = testTask("held", async () => {
  await new Promise<void>((resolve) => ends.push(resolve));
  return null;
});

describe("a hint of the worker's own process", () => {
  let scene: TaskWorkerScene;
  before(async () => {
    scene = await createTaskWorkerScene([held]);
  });
  afterEach(() => scene.closeOpened());
  after(() => scene.close());

  /** A hint that is not in the queue. */
  async function ownHint(job = "echo"): Promise<Hint> {
    const { id } = await scene.submit(job);
    await eventually("its hint is in the queue", async () => (await scene.hints("worker")) > 0);
    for (const lane of LANES)
      await scene.inspect(lane, (queue) => queue.obliterate({ force: true }));
    const hint = scene.core.hinted.findLast((one) => one.id === id);
    return hint ?? assert.fail("no hint was added");
  }

  async function untilStatus({ id }: Hint, status: QueuedJob["status"]): Promise<void> {
    await eventually(`it is ${status}`, async () => (await scene.statusOf({ id })) === status);
  }

  it("becomes an attempt without the queue", async () => {
    const hint = await ownHint();
    const worker = scene.open();
    assert.ok(worker.take(hint));
    await untilStatus(hint, "SUCCESS");
    assert.equal(await scene.hints("worker"), 0);
  });

  it("needs the queue when only one slot is free, and then when none is", async () => {
    const [first, second] = [await ownHint("held"), await ownHint()];
    const worker = scene.open({ tasks: 2, children: 1 });
    assert.ok(worker.take(first));
    await untilStatus(first, "STARTED");
    assert.ok(!worker.take(second), "the last slot is left to the queue");
    await scene.core.submit(scene.other, { job: "held" });
    await eventually(
      "both slots are in use",
      () => ends.length === 2 && worker.restingMs("worker") === 0,
    );
    assert.ok(!worker.take(second), "no slot is free");
    for (const end of ends) end();
    await eventually("the slot is free again", () => worker.take(second));
    await untilStatus(second, "SUCCESS");
  });

  it("needs the queue when it is not due, and when the worker drains or closes", async () => {
    const hint = await ownHint();
    const worker: TaskWorker = scene.open();
    assert.ok(!worker.take({ ...hint, delayMs: 1 }));
    worker.drain(true);
    assert.ok(!worker.take(hint));
    worker.drain(false);
    const closed = worker.close();
    assert.ok(!worker.take(hint));
    await closed;
    assert.equal(await scene.statusOf(hint), "PENDING");
  });

  it("goes to the queue when its row turns out not to be due", async () => {
    const added: Hint[] = [];
    const hint = await ownHint();
    await scene.core.database.sql`
      update queued_jobs set due_at = now() + interval '20 seconds' where id = ${hint.id}`;
    const worker = scene.open({ hints: { add: async (hints) => void added.push(...hints) } });
    assert.ok(worker.take(hint));
    await eventually("it is put back", () => added.length > 0);
    const [{ id, delayMs } = assert.fail("none")] = added;
    assert.ok(id === hint.id && delayMs > 10_000 && delayMs <= 20_000, `after ${delayMs} ms`);
  });
});
