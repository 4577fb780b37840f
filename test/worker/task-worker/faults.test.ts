// A worker without children, without an answer, and without Redis.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { createDatabase } from "../../../src/db/database.js";
import { createChildPool } from "../../../src/child-pool/child-pool.js";
import { createQueuedJobs } from "../../../src/services/queued-jobs/queued-jobs.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { childTask, testTask } from "../worker-scene.js";
import { createTaskWorkerScene, type TaskWorkerScene } from "./task-worker-scene.js";

const brief = testTask("brief", () => wait(300, null));

describe("a worker", () => {
  let scene: TaskWorkerScene;
  before(async () => {
    scene = await createTaskWorkerScene([brief, childTask("child")]);
  });
  afterEach(() => scene.closeOpened());
  after(() => scene.close());

  it("leaves photo jobs to others while it cannot start children, and says so", async () => {
    const entry = join(scene.folder, "late-child.mjs");
    const sickPool = createChildPool({
      entry: pathToFileURL(entry),
      size: 2,
      memoryLimitBytes: 1e9,
      restartMs: 100,
      log: silentLog,
    });
    scene.closeLater({ close: () => sickPool.close() });
    const sick = scene.open({ children: 2 }, { pool: sickPool });
    await scene.submit("child");
    await eventually("it says why", () =>
      /^it takes no photos: .*Cannot find module/.test(sick.idleReason() ?? ""),
    );
    const healthy = scene.open({ children: 2 });
    const jobs = await scene.core.submitMany(scene.user, 20, { job: "child" });
    await eventually("all are done", async () =>
      (await Promise.all(jobs.map(scene.statusOf))).every((status) => status === "SUCCESS"),
    );
    assert.ok(
      (await Promise.all(jobs.map(scene.find))).every((job) => job?.attempts === 1),
      "each was tried only once",
    );
    await healthy.close();
    await writeFile(
      entry,
      `import ${JSON.stringify(new URL("../scripted-child.js", import.meta.url).href)};`,
    );
    await eventually("it is well", () => sick.idleReason() === null);
    const last = await scene.submit("child");
    await eventually("it takes the next", async () => (await scene.statusOf(last)) === "SUCCESS");
  });

  it("continues an attempt whose claim was recorded although the answer was lost", async () => {
    const proxy = await createTcpProxy(scene.core.url);
    const database = createDatabase({ url: proxy.url, connections: 1, applicationName: "worker" });
    scene.closeLater({
      close: async () => void (await Promise.all([database.close(), proxy.close()])),
    });
    const { bus, hints: queue } = scene.core;
    const queuedJobs = createQueuedJobs({
      database,
      bus,
      hints: queue,
      catalogue: scene.deps.catalogue,
      log: silentLog,
      submittable: async () => null,
      cancellations: { publish: () => {} },
      deleteFiles: async () => {},
      limits: {
        maxPendingPerUser: 100,
        maxStoredBytesPerUser: 1e9,
        maxRecordedBytesPerUser: 1e9,
        jobTtlSeconds: 3600,
      },
    });
    scene.open({}, { queuedJobs });
    const before_ = await scene.submit("echo");
    await eventually(
      "its connection is open",
      async () => (await scene.statusOf(before_)) === "SUCCESS",
    );
    proxy.cutReplies(() => 0);
    const queuedJob = await scene.submit("echo");
    await eventually("it is claimed", async () => (await scene.statusOf(queuedJob)) === "STARTED");
    proxy.heal();
    await eventually(
      "it is done",
      async () => (await scene.statusOf(queuedJob)) === "SUCCESS",
      5000,
    );
    assert.deepEqual(
      (await scene.history(queuedJob)).map(({ type }) => type),
      ["QUEUED", "STARTED", "SUCCEEDED"],
    );
    const [row] = await scene.core.database.sql<
      { attempts: number; stalls: number }[]
    >`select attempts, stalls from queued_jobs where id = ${queuedJob.id}`;
    assert.deepEqual({ ...row }, { attempts: 1, stalls: 0 });
  });

  it("reports that Redis is away, and continues when Redis is back", async () => {
    const proxy = await createTcpProxy(scene.core.redis.url);
    let ready = 0;
    const worker = scene.open({ redisUrl: proxy.url, onRedisReady: () => ready++ });
    await eventually("it takes work", () => worker.idleReason() === null && ready === 1);
    const running = await scene.submit("brief");
    await eventually("it runs", async () => (await scene.statusOf(running)) === "STARTED");
    proxy.down();
    await eventually("it has noticed", () => worker.idleReason() === "Redis is away");
    await eventually(
      "the running task is done",
      async () => (await scene.statusOf(running)) === "SUCCESS",
    );
    proxy.up();
    await eventually("it takes work again", () => worker.idleReason() === null && ready === 2);
    const next = await scene.submit("echo");
    await eventually("the next is done", async () => (await scene.statusOf(next)) === "SUCCESS");
    await worker.close();
    await proxy.close();
  });
});
