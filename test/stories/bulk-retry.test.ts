// One click retries the failed jobs of hundreds of users while processes are killed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { REDIS_PREFIX } from "../../src/app/create-core.js";
import { assertConsistent } from "../support/asserts/assert-consistent.js";
import { ADMIN_PASSWORD, createOperatorClient } from "../support/clients/operator-client.js";
import { eventually } from "../support/runner/eventually.js";
import { long, RUNS_LONG } from "../support/runner/long.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { testRedis } from "../support/stores/test-redis.js";
import { startApiProcess } from "./api-process.js";
import { startWorkerProcess } from "./worker-process.js";

/** BULK_USERS=500 retries 10,000 jobs, which takes a minute longer. */
const USERS = Number(process.env["BULK_USERS"] ?? 100);
const JOBS = 20;
const ALL = USERS * JOBS;

describe("the failed jobs of many users", { ...long, timeout: 600_000 }, () => {
  let service: TestService;
  let streamed: Awaited<ReturnType<TestService["person"]>>;
  before(async () => {
    if (!RUNS_LONG) return;
    service = await startTestService({
      operated: true,
      workers: 0,
      redisPrefix: REDIS_PREFIX,
      env: { REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/9" }).href },
    });
    const inputs = Array.from({ length: JOBS }, () => ({
      job: "echo",
      parameters: { failPermanently: true },
    }));
    for (let i = 0; i < USERS; i++) {
      streamed = await service.person();
      await streamed.get(
        "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
        { inputs },
      );
    }
    const first = await service.addWorker();
    await eventually("all have failed", async () => (await countOf("FAILED")) === ALL, 300_000);
    await first.close();
  });
  after(() => service?.close());

  const countOf = async (status: string) => {
    const [row] = await service.database.sql<
      { n: number }[]
    >`select count(*)::int as n from queued_jobs where status = ${status}`;
    return row?.n;
  };
  const progress = async () => {
    const [row] = await service.database.sql<
      { state: string; done: number; skipped: object }[]
    >`select state, done, skipped from operations`;
    return row;
  };

  it("are retried by one click, each once, though API and worker are killed", async (t) => {
    const { env, database } = service;
    const stream = streamed.events({ after: await streamed.cursor() });
    const queued = () => stream.events.filter(({ type }) => type === "QUEUED");
    const clicked = await startApiProcess({ ...env, ADMIN_PASSWORD, ADMIN_ACTIONS: "true" });
    const { DATABASE_URL = "", REDIS_URL = "", STORAGE_URL = "" } = env;
    // Few slots, so that the measured time is the operation's and not that of the jobs.
    const start = () =>
      startWorkerProcess({ DATABASE_URL, REDIS_URL, STORAGE_URL, WORKER_TASKS: "2" });
    const doomed = await start();
    const startedAt = Date.now();
    const answer = await createOperatorClient(clicked.url).post("/admin/operations", {
      action: "RETRY",
      status: "FAILED",
    });
    assert.equal(answer.status, 303, answer.text);
    clicked.stop();
    await eventually("half is done", async () => ((await progress())?.done ?? 0) > ALL / 3, 60_000);
    doomed.kill("SIGKILL");
    const killed = `killed after ${(await progress())?.done} jobs and ${Date.now() - startedAt} ms`;
    assert.equal((await progress())?.state, "RUNNING");
    const survivor = await start();
    await eventually("all are done", async () => (await progress())?.state === "FINISHED", 60_000);
    const tookMs = Date.now() - startedAt;
    t.diagnostic(`${tookMs} ms, ${killed}`);
    assert.ok(tookMs < 60_000, `${tookMs} ms`);
    const ended = await progress();
    assert.deepEqual([ended?.done, ended?.skipped], [ALL, {}]);
    await eventually(
      "the stream shows that each job is queued again",
      () => queued().length === JOBS,
    );
    assert.equal(new Set(queued().map(({ queuedJob }) => queuedJob.id)).size, JOBS);
    stream.stop();
    survivor.kill("SIGTERM");
    await survivor.ended();
    const runs = await database.sql`
      select count(*)::int as n, count(*) filter (where type = 'QUEUED')::int as queued
      from queued_job_events group by queued_job_id having count(*) filter (where type = 'QUEUED')
        <> 2`;
    assert.deepEqual([...runs], [], "each job was queued twice: submitted, and retried once");
    const gaps = await database.sql`
      select user_id from queued_job_events group by user_id
      having count(*) <> max(seq) or min(seq) <> 1`;
    assert.deepEqual([...gaps], [], "the stream of each owner has no gap");
    await assertConsistent(database.sql);
  });
});
