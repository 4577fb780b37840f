// Tests the whole service on a Redis whose memory limit is reached, with `noeviction`.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type { EmbeddedServer } from "../../../src/embedded/open-server-folder.js";
import { startRedis } from "../../../src/embedded/redis/start-redis.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { OPERATOR_PASSWORD, scrape } from "../../support/clients/scrape.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { playStory } from "./play-story.js";

const REFUSES = "refuses data (OOM); submitted jobs run when it accepts data";

describe("on a full Redis", long, () => {
  const dataDir = temporaryFolder().path;
  let server: EmbeddedServer;
  let redis: Redis;
  let service: TestService;
  let worker: { url: string; close(): Promise<void> };
  before(async () => {
    chmodSync(dataDir, 0o711);
    server = await startRedis({ dataDir, log: silentLog, path: process.env["PATH"] ?? "" });
    redis = new Redis(server.url);
    const env = { REDIS_URL: server.url, ADMIN_PASSWORD: OPERATOR_PASSWORD };
    service = await startTestService({ workers: 0, env });
    worker = await service.addWorker();
  });
  after(async () => {
    await service?.close();
    redis?.disconnect();
    await server?.close();
  });

  const memory = async (name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await redis.info())?.[1]);
  const limitTo = (bytes: number) => redis.config("SET", "maxmemory", Math.round(bytes));
  const ready = async (url: string) => {
    const answer = await fetch(`${url}/health/ready`);
    return [answer.status, ((await answer.json()) as { redis: string }).redis];
  };

  it("submissions are accepted and wait, and all run once there is room again", async (t) => {
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    const running = await person.enqueue("echo", { durationMs: 1000 });
    await stream.next("it runs", ({ type }) => type === "STARTED");
    await limitTo(1);
    const submittedAt = Date.now();
    const waiting = await Promise.all(Array.from({ length: 5 }, () => person.enqueue("echo")));
    t.diagnostic(`five jobs are accepted in ${Date.now() - submittedAt} ms`);
    assert.equal((await person.finished(running.id)).status, "SUCCESS");
    const all = stream.events.filter(({ type }) => type === "QUEUED");
    assert.equal(all.length, 6, "notifications do not need memory");

    assert.deepEqual(await ready(service.url), [200, REFUSES]);
    assert.deepEqual(await ready(worker.url), [503, REFUSES]);
    const metrics = await scrape(worker.url);
    assert.equal(metrics.value("photos_dependency_up", { dependency: "redis" }), 0);
    assert.ok(metrics.value("photos_redis_memory_ratio") > 1);
    const refusedBefore = await memory("total_error_replies");
    const reports = () =>
      service.logged.filter(({ msg }) => String(msg).startsWith("the reconciler failed"));
    await eventually("the reconciler reports it", () => reports().length > 0, 60_000);
    const refused = (await memory("total_error_replies")) - refusedBefore;
    assert.ok(refused < 300, `the processes repeat refused commands: ${refused} times`);
    assert.equal(reports().length, 1, "it reports it once");
    t.diagnostic(`${refused} commands were refused in that time`);

    const roomAt = Date.now();
    await limitTo(0);
    for (const { id } of waiting)
      assert.equal((await person.finished(id, 60_000)).status, "SUCCESS");
    t.diagnostic(`all jobs have finished ${Date.now() - roomAt} ms after there was room`);
    await stream.next(
      "each end arrives",
      () => stream.events.filter(({ type }) => type === "SUCCEEDED").length === 6,
    );
    stream.stop();
    await playStory(service);
  });

  it("hints leave room to take them, however many jobs wait", async (t) => {
    await worker.close();
    const person = await service.person();
    await redis.setrange("ballast", 36_000_000, "x");
    await limitTo((await memory("used_memory")) / 0.895);
    for (let batch = 0; batch < 10; batch++) {
      const inputs = Array.from({ length: 100 }, () => ({ job: "echo" }));
      await person.get(
        "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
        { inputs },
      );
      await scrape(service.url);
    }
    const keys = await redis.dbsize();
    t.diagnostic(`${keys} keys in Redis for 1000 waiting jobs`);
    assert.ok(keys < 900, `${keys} keys`);
    await service.addWorker();
    await eventually(
      "all have finished",
      async () => {
        const [left] = await service.database.sql<{ n: number }[]>`
          select count(*)::int as n from queued_jobs where status in ('PENDING', 'STARTED')`;
        return left?.n === 0;
      },
      60_000,
    );
  });
});
