import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { createDatabase } from "../../src/db/database.js";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createChildPool } from "../../src/child-pool/child-pool.js";
import { LANES, createHintQueue, laneQueueName } from "../../src/queue/hint-queue.js";
import { createRedis } from "../../src/runtime/redis.js";
import { createQueuedJobs } from "../../src/services/queued-jobs/queued-jobs.js";
import type { User } from "../../src/services/users/users.js";
import type { Storage } from "../../src/photos/storage.js";
import type { ExecuteDeps } from "../../src/worker/execute-task.js";
import { createLeases } from "../../src/worker/leases.js";
import {
  createTaskWorker,
  type TaskWorker,
  type TaskWorkerOptions,
} from "../../src/worker/task-worker.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { childTask, createWorkerScene, testTask, type WorkerScene } from "./worker-scene.js";

let inside = 0;
let most = 0;
const crowded = testTask("crowded", async () => {
  most = Math.max(most, ++inside);
  await eventually("as many run together as may", () => most >= 3);
  await wait(20);
  inside--;
  return null;
});
const obedient = testTask("obedient", ({ signal }) => wait(60_000, undefined, { signal }));
const brief = testTask("brief", () => wait(300, null));

describe("a worker", () => {
  let scene: WorkerScene;
  let user: User;
  let other: User;
  const opened: Pick<TaskWorker, "close">[] = [];
  before(async () => {
    scene = await createWorkerScene([crowded, obedient, brief, childTask("child")], {
      hints: ({ url, prefix }) => createHintQueue({ redisUrl: url, prefix, log: silentLog }),
    });
    [user, other] = [await scene.core.newUser(), await scene.core.newUser()];
    await eventually(
      "hints are taken",
      async () => (await scene.core.submit(user), (await hints("worker")) > 0),
    );
    await Promise.all(
      LANES.map((lane) => inspect(lane, (queue) => queue.obliterate({ force: true }))),
    );
    await scene.core.database.sql`delete from queued_jobs`;
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
  });
  after(() => scene.close());

  async function inspect<T>(
    lane: (typeof LANES)[number],
    look: (queue: Queue) => Promise<T>,
  ): Promise<T> {
    const connection = createRedis({
      url: scene.core.redis.url,
      purpose: "tests",
      failFast: false,
      log: silentLog,
    });
    const queue = new Queue(laneQueueName(lane), { connection, prefix: scene.core.redis.prefix });
    const found = await look(queue);
    await queue.close();
    connection.disconnect();
    return found;
  }
  const hints = (lane: (typeof LANES)[number]) =>
    inspect(lane, async (queue) =>
      Object.values(await queue.getJobCounts()).reduce((sum, count) => sum + count, 0),
    );
  function open(
    more: Partial<TaskWorkerOptions> = {},
    deps: Partial<ExecuteDeps> = {},
  ): TaskWorker & { leases: ReturnType<typeof createLeases> } {
    const leases = createLeases({
      queuedJobs: scene.core.queuedJobs,
      worker: "test-worker",
      log: silentLog,
      renewMs: 50,
    });
    const worker = createTaskWorker(
      { ...scene.deps, leases, ...deps },
      {
        redisUrl: scene.core.redis.url,
        prefix: scene.core.redis.prefix,
        tasks: 10,
        children: 2,
        drainMs: 5000,
        onRedisReady: () => {},
        ...more,
      },
    );
    const opening = {
      ...worker,
      leases,
      async close() {
        await worker.close();
        leases.close();
      },
    };
    opened.push(opening);
    return opening;
  }
  const statusOf = async ({ id }: { id: string }) => (await scene.find({ id }))?.status;
  const submit = (job: string, parameters = {}) => scene.core.submit(user, { job, parameters });

  it("turns the hints of both lanes into attempts, and leaves none behind", async () => {
    const worker = open();
    const both = [await submit("echo"), await submit("child")];
    await eventually("both are done", async () =>
      (await Promise.all(both.map(statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
    assert.deepEqual([await hints("worker"), await hints("child")], [0, 0]);
  });

  it("runs no more at once than it may", async () => {
    const worker = open({ tasks: 3, children: 1 });
    const many = (
      await Promise.all(
        [user, other].map((one) => scene.core.submitMany(one, 8, { job: "crowded" })),
      )
    ).flat();
    await eventually("all are done", async () =>
      (await Promise.all(many.map(statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
    assert.equal(most, 3);
  });

  it("claims the next when a child is nearly done with the one before, and not earlier", async () => {
    const worker = open({ children: 1 });
    const waitFor = join(scene.folder, "go");
    const halfway = await submit("child", { progress: 0.5, waitFor });
    await eventually("it is halfway", async () => (await scene.find(halfway))?.progress === 0.5);
    const nearly = await submit("child", { progress: 0.9, waitFor: `${waitFor} on` });
    const next = await submit("child");
    await eventually("their hints are there", async () => (await hints("child")) === 3);
    assert.deepEqual([await statusOf(nearly), worker.restingMs("child")], ["PENDING", 0]);
    await writeFile(waitFor, "");
    await eventually("it is nearly done", async () => (await scene.find(nearly))?.progress === 0.9);
    await eventually("the next is claimed", async () => (await statusOf(next)) !== "PENDING");
    assert.equal(await statusOf(nearly), "STARTED");
    await writeFile(`${waitFor} on`, "");
    await eventually("all are done", async () =>
      (await Promise.all([halfway, nearly, next].map(statusOf))).every(
        (status) => status === "SUCCESS",
      ),
    );
    await worker.close();
  });

  it("gives a child the next while the outputs of the one before are being stored", async () => {
    let store = () => {};
    const stored = new Promise<void>((resolve) => (store = resolve));
    const storage: Storage = {
      ...scene.deps.storage,
      put: (key, path) => stored.then(() => scene.deps.storage.put(key, path)),
    };
    const worker = open({ tasks: 3, children: 1 }, { storage });
    const three = await Promise.all(
      [1, 2, 3].map(() => submit("child", { files: { "a.txt": "a" } })),
    );
    try {
      await eventually(
        "all are begun, and there is room for more",
        async () =>
          (await Promise.all(three.map(statusOf))).every((status) => status === "STARTED") &&
          worker.restingMs("child") > 0,
      );
    } finally {
      store();
    }
    await eventually("all are done", async () =>
      (await Promise.all(three.map(statusOf))).every((status) => status === "SUCCESS"),
    );
    await worker.close();
  });

  it("lets what runs finish when it closes, and takes nothing more", async () => {
    const worker = open();
    const running = await submit("brief");
    await eventually("it runs", async () => (await statusOf(running)) === "STARTED");
    assert.equal(worker.idleReason(), null);
    const closed = worker.close();
    assert.equal(worker.idleReason(), "it is closing");
    const late = await submit("echo");
    await closed;
    assert.deepEqual(
      [await statusOf(running), await statusOf(late), worker.leases.size],
      ["SUCCESS", "PENDING", 0],
    );
    const next = open();
    await eventually("the next worker takes it", async () => (await statusOf(late)) === "SUCCESS");
    await next.close();
  });

  it("puts back what it could not claim when it closes, and another takes it at once", async () => {
    const { queuedJobs } = scene.core;
    const worker = open(
      {},
      {
        queuedJobs: {
          ...queuedJobs,
          start: () => Promise.reject(new ServiceUnavailableError("The database is away.")),
        },
      },
    );
    const waiting = [await submit("echo"), await submit("child")];
    await eventually("their hints are taken", async () =>
      (
        await Promise.all(LANES.map((lane) => inspect(lane, (queue) => queue.getActiveCount())))
      ).every((count) => count === 1),
    );
    await worker.close();
    assert.deepEqual([await hints("worker"), await hints("child")], [1, 1]);
    const next = open();
    await eventually(
      "the next worker has done them",
      async () =>
        (await Promise.all(waiting.map(statusOf))).every((status) => status === "SUCCESS"),
      4000,
    );
    await next.close();
  });

  it(
    "keeps a slot for others, and the hints of one user who has the rest, until that one's " +
      "tasks end",
    async () => {
      const worker = open({ tasks: 3 });
      const long = await scene.core.submitMany(user, 3, { job: "obedient" });
      const isStarted = async () =>
        (await Promise.all(long.map(statusOf))).filter((status) => status === "STARTED").length ===
        2;
      await eventually("two of them run", isStarted);
      const echo = await scene.core.submit(other);
      await eventually(
        "another's runs beside them",
        async () => (await statusOf(echo)) === "SUCCESS",
        4000,
      );
      assert.deepEqual([await isStarted(), await hints("worker")], [true, 3]);
      const [first] = (
        await Promise.all(
          long.map(async (one) => ((await statusOf(one)) === "STARTED" ? [one] : [])),
        )
      ).flat();
      await scene.core.queuedJobs.cancel(user, first?.id ?? "");
      worker.leases.drop(first?.id ?? "");
      await eventually("the third runs when one has ended", isStarted);
      for (const { id } of long) await scene.core.queuedJobs.cancel(user, id);
      await worker.close();
    },
  );

  it("keeps a hint that comes before its row is due, and one whose row is locked", async () => {
    const { sql } = scene.core.database;
    const early = await submit("echo");
    await sql`update queued_jobs set due_at = clock_timestamp() + interval '800 ms'
      where id = ${early.id}`;
    const locked = await submit("echo");
    await sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${locked.id} for update`;
      open();
      await eventually(
        "the early one is done",
        async () => (await statusOf(early)) === "SUCCESS",
        8000,
      );
      await eventually(
        "the locked one is put back",
        () => inspect("worker", async (queue) => (await queue.getDelayedCount()) === 1),
        8000,
      );
    });
    await eventually(
      "the locked one is done",
      async () => (await statusOf(locked)) === "SUCCESS",
      8000,
    );
  });

  it(
    "leaves photo jobs to others while it cannot start children, says so, and takes them " +
      "again when it can",
    async () => {
      const entry = join(scene.folder, "late-child.mjs");
      const sickPool = createChildPool({
        entry: pathToFileURL(entry),
        size: 2,
        memoryLimitBytes: 1e9,
        restartMs: 100,
        log: silentLog,
      });
      opened.push({ close: () => sickPool.close() });
      const sick = open({ children: 2 }, { pool: sickPool });
      await submit("child");
      await eventually("it says why", () =>
        /^it takes no photos: .*Cannot find module/.test(sick.idleReason() ?? ""),
      );
      const healthy = open({ children: 2 });
      const jobs = await scene.core.submitMany(user, 20, { job: "child" });
      await eventually("all are done", async () =>
        (await Promise.all(jobs.map(statusOf))).every((status) => status === "SUCCESS"),
      );
      assert.ok(
        (await Promise.all(jobs.map(scene.find))).every((job) => job?.attempts === 1),
        "none of them was begun in vain",
      );
      await healthy.close();
      await writeFile(
        entry,
        `import ${JSON.stringify(new URL("scripted-child.js", import.meta.url).href)};`,
      );
      await eventually("it is well", () => sick.idleReason() === null);
      const last = await submit("child");
      await eventually("it takes the next", async () => (await statusOf(last)) === "SUCCESS");
    },
  );

  it("goes on with an attempt that it has begun although the answer to its claim was lost", async () => {
    const proxy = await createTcpProxy(scene.core.url);
    const database = createDatabase({ url: proxy.url, connections: 1, applicationName: "worker" });
    opened.push({ close: async () => void (await Promise.all([database.close(), proxy.close()])) });
    const { bus, hints: queue } = scene.core;
    const queuedJobs = createQueuedJobs({
      database,
      bus,
      hints: queue,
      catalogue: scene.deps.catalogue,
      log: silentLog,
      submittable: async () => null,
      stopBell: { ring: () => {} },
      deleteFiles: async () => {},
      limits: {
        maxPendingPerUser: 100,
        maxStoredBytesPerUser: 1e9,
        maxRecordedBytesPerUser: 1e9,
        jobTtlSeconds: 3600,
      },
    });
    open({}, { queuedJobs });
    const before_ = await submit("echo");
    await eventually("its connection is open", async () => (await statusOf(before_)) === "SUCCESS");
    proxy.cutReplies(() => 0);
    const queuedJob = await submit("echo");
    await eventually("it is claimed", async () => (await statusOf(queuedJob)) === "STARTED");
    proxy.heal();
    await eventually("it is done", async () => (await statusOf(queuedJob)) === "SUCCESS", 5000);
    assert.deepEqual(
      (await scene.history(queuedJob)).map(({ type }) => type),
      ["QUEUED", "STARTED", "SUCCEEDED"],
    );
    const [row] = await scene.core.database.sql<
      { attempts: number; stalls: number }[]
    >`select attempts, stalls from queued_jobs where id = ${queuedJob.id}`;
    assert.deepEqual({ ...row }, { attempts: 1, stalls: 0 });
  });

  it("hands back what has not finished within the grace, and another finishes it", async () => {
    const worker = open({ drainMs: 50 });
    const queuedJob = await submit("obedient");
    await eventually("it runs", async () => (await statusOf(queuedJob)) === "STARTED");
    await worker.close();
    assert.deepEqual(
      (await scene.history(queuedJob)).map(({ type }) => type),
      ["QUEUED", "STARTED", "RETRYING"],
    );
    assert.equal((await scene.find(queuedJob))?.error, null);
    const next = open({ drainMs: 50 });
    await eventually(
      "the next worker takes it",
      async () => (await scene.find(queuedJob))?.attempts === 2,
    );
    await scene.core.queuedJobs.cancel(user, queuedJob.id);
    await next.close();
  });

  it("says that Redis is away, keeps what runs, and goes on by itself when it is back", async () => {
    const proxy = await createTcpProxy(scene.core.redis.url);
    let ready = 0;
    const worker = open({ redisUrl: proxy.url, onRedisReady: () => ready++ });
    await eventually("it takes work", () => worker.idleReason() === null && ready === 1);
    const running = await submit("brief");
    await eventually("it runs", async () => (await statusOf(running)) === "STARTED");
    proxy.down();
    await eventually("it has noticed", () => worker.idleReason() === "Redis is away");
    await eventually("what ran is done", async () => (await statusOf(running)) === "SUCCESS");
    proxy.up();
    await eventually("it takes work again", () => worker.idleReason() === null && ready === 2);
    const next = await submit("echo");
    await eventually("the next is done", async () => (await statusOf(next)) === "SUCCESS");
    await worker.close();
    await proxy.close();
  });
});
