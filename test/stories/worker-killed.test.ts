// Workers in separate processes: killed, and shut down by SIGTERM.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { REDIS_PREFIX } from "../../src/app/create-core.js";
import { createHintQueue } from "../../src/queue/hint-queue.js";
import type { QueuedJob } from "../../src/domain/queued-job.js";
import type { User } from "../../src/services/users/users.js";
import { eventually } from "../support/runner/eventually.js";
import { long } from "../support/runner/long.js";
import { silentLog } from "../support/runner/silent-log.js";
import { expireLeases } from "../support/stores/expire-leases.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";
import { testRedis } from "../support/stores/test-redis.js";
import { startWorkerProcess } from "./worker-process.js";

describe("a worker process", () => {
  // The process uses production's prefix, so the test takes a separate Redis database.
  const redisUrl = Object.assign(new URL(testRedis().url), { pathname: "/7" }).href;
  let core: TestCore;
  let user: User;
  let storage: string;
  before(async () => {
    storage = await mkdtemp(join(tmpdir(), "photo-worker-process-"));
    core = await createTestCore({
      hints: () => createHintQueue({ redisUrl, prefix: REDIS_PREFIX, log: silentLog }),
    });
    user = await core.newUser();
  });
  after(async () => {
    await core.close();
    await rm(storage, { recursive: true, force: true });
  });

  const start = (REDIS_URL = redisUrl) =>
    startWorkerProcess({ DATABASE_URL: core.url, REDIS_URL, STORAGE_URL: `file:${storage}` });
  const echo = (parameters: Record<string, unknown>) =>
    core.submit(user, {
      parameters: {
        message: "m",
        steps: 0,
        failAttempts: 0,
        failPermanently: false,
        ...parameters,
      },
    });
  const find = ({ id }: QueuedJob) => core.queuedJobs.find(user, id);
  const storyOf = async ({ id }: QueuedJob) =>
    (
      await core.eventLog.read({ userId: user.id, seq: 0, limit: 1000, queuedJobId: id })
    ).events.map(({ type, queuedJob }) => [type, queuedJob.attempts, queuedJob.error?.code]);

  it("leaves its job to another worker when it is killed, with a RETRYING event", async () => {
    const doomed = await start();
    const queuedJob = await echo({ durationMs: 1000 });
    await eventually("it runs", async () => (await find(queuedJob))?.status === "STARTED");
    doomed.kill("SIGKILL");
    assert.equal((await doomed.ended()).signal, "SIGKILL");
    await expireLeases(core.database.sql);
    const next = await start();
    await eventually(
      "it succeeds",
      async () => (await find(queuedJob))?.status === "SUCCESS",
      15_000,
    );
    next.kill("SIGTERM");
    assert.deepEqual(await next.ended(), { code: 0, signal: null });
    assert.deepEqual(await storyOf(queuedJob), [
      ["QUEUED", 0, undefined],
      ["STARTED", 1, undefined],
      ["RETRYING", 1, "STALLED"],
      ["STARTED", 2, undefined],
      ["SUCCEEDED", 2, undefined],
    ]);
  });

  it("finishes its job after SIGTERM, and exits with code 0", async () => {
    const worker = await start();
    const queuedJob = await echo({ durationMs: 500 });
    await eventually("it runs", async () => (await find(queuedJob))?.status === "STARTED");
    worker.kill("SIGTERM");
    assert.deepEqual(await worker.ended(), { code: 0, signal: null });
    assert.deepEqual(
      (await storyOf(queuedJob)).map(([type]) => type),
      ["QUEUED", "STARTED", "SUCCEEDED"],
    );
    assert.deepEqual(worker.logged.slice(worker.logged.indexOf("SIGTERM: closing")), [
      "SIGTERM: closing",
      "succeeded",
    ]);
  });

  it("finishes its job and exits with code 0 also while Redis is unavailable", long, async () => {
    const proxy = await createTcpProxy(redisUrl);
    const worker = await start(proxy.url);
    const queuedJob = await echo({ durationMs: 500 });
    await eventually("it runs", async () => (await find(queuedJob))?.status === "STARTED");
    proxy.down();
    worker.kill("SIGTERM");
    const startedAt = Date.now();
    assert.deepEqual(await worker.ended(), { code: 0, signal: null });
    assert.ok(Date.now() - startedAt < 8000, `${Date.now() - startedAt} ms`);
    assert.equal((await find(queuedJob))?.status, "SUCCESS");
    await proxy.close();
  });
});
