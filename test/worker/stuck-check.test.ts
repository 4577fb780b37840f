import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { createHintQueue, laneQueueName } from "../../src/queue/hint-queue.js";
import { createBacklogReads } from "../../src/services/reads/backlog.js";
import { createStuckCheck } from "../../src/worker/stuck-check.js";
import { createTaskWorker, type TaskWorker } from "../../src/worker/task-worker.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createWorkerScene, testTask, type WorkerScene } from "./worker-scene.js";

describe("the check of an idle worker", () => {
  let scene: WorkerScene;
  let taskWorker: TaskWorker;
  let queue: Queue;
  let check: () => Promise<string | null>;
  let letGo = () => {};
  before(async () => {
    const held = testTask("held", () => new Promise((resolve) => (letGo = () => resolve(null))));
    scene = await createWorkerScene([held], {
      hints: ({ url, prefix }) => createHintQueue({ redisUrl: url, prefix, log: silentLog }),
    });
    const { url, prefix } = scene.core.redis;
    queue = new Queue(laneQueueName("worker"), { connection: { url }, prefix });
    taskWorker = createTaskWorker(scene.deps, {
      redisUrl: url,
      prefix,
      tasks: 1,
      children: 1,
      drainMs: 1000,
      onRedisReady: () => {},
      hints: { add: async () => {} },
    });
    check = createStuckCheck({
      taskWorker,
      hasWaited: createBacklogReads(scene.core.database).hasWaited,
      catalogue: scene.deps.catalogue,
      afterMs: 400,
    });
    await eventually("it takes work", async () => (await check()) === null);
  });
  after(async () => {
    letGo();
    await taskWorker.close();
    await queue.close();
    await scene.close();
  });

  it("finds a worker healthy while no work waits", async () => {
    await eventually("it has rested", () => taskWorker.restingMs("worker") > 500);
    assert.equal(await check(), null);
  });

  it("finds a worker stuck when it has room and work waits, until it takes the work", async () => {
    await queue.pause();
    const user = await scene.core.newUser();
    const job = await scene.core.submit(user);
    const reason = await eventually("it says so", check);
    assert.match(reason, /^has taken nothing in the lane "worker" for \d+ s, while work waits$/);
    await queue.resume();
    await eventually("it is well", async () => (await check()) === null);
    await eventually("the work is done", async () => (await scene.find(job))?.status === "SUCCESS");
  });

  it("finds a full worker healthy, however long other work waits", async () => {
    const user = await scene.core.newUser();
    const [first, second] = await scene.core.submitMany(user, 2, { job: "held" });
    await eventually("it is full", () => taskWorker.restingMs("worker") === 0);
    const { hasWaited } = createBacklogReads(scene.core.database);
    await eventually("one has waited", () => hasWaited(["held"], 0.5));
    assert.equal(await check(), null);
    const finished = async (job: typeof first) =>
      job !== undefined && (await scene.find(job))?.status === "SUCCESS";
    await eventually("both are done", async () => {
      letGo();
      return (await finished(first)) && (await finished(second));
    });
  });
});
