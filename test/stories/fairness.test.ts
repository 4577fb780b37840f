// One user's many jobs do not delay another user's first job.
import assert from "node:assert/strict";
import { it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService } from "../support/service/test-service.js";

const MANY = 500;
/** One block of an owner's hints, plus the jobs that already run. */
const FEW = 16 + 2 * 2;

it("starts another user's first job early while 500 jobs of one user wait", async () => {
  const service = await startTestService({ env: { WORKER_TASKS: "2", WORKER_CONCURRENCY: "2" } });
  try {
    const [hog, other] = await Promise.all([service.person(), service.person()]);
    const inputs = Array.from({ length: 100 }, () => ({
      job: "echo",
      parameters: { durationMs: 20 },
    }));
    for (let count = 0; count < MANY; count += inputs.length)
      await hog.get(
        "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
        { inputs },
      );
    const { queuedJobs } = await hog.get(
      "{ queuedJobs(first: 1) { nodes { queuePosition status } } }",
    );
    const first = await other.enqueue("echo");
    await other.finished(first.id);

    const [{ between, waiting } = { between: -1, waiting: -1 }] = await service.database.sql<
      { between: number; waiting: number }[]
    >`
      select count(*) filter (where h.started_at > f.created_at
        and h.started_at < f.started_at)::int as between, count(*) filter (where h.started_at is
          null or h.started_at > f.started_at)::int as waiting
      from queued_jobs f join queued_jobs h on h.user_id <> f.user_id where f.id = ${first.id}`;
    assert.ok(between <= FEW, `${between} of the 500 jobs started before it`);
    assert.ok(
      waiting > MANY / 4,
      `only ${waiting} of the 500 jobs still waited, too few to prove fairness`,
    );
    assert.ok(
      queuedJobs.nodes[0].queuePosition > MANY / 4,
      `the last of the 500 jobs has the position ${queuedJobs.nodes[0].queuePosition}`,
    );
    await hog.get("mutation { cancelQueuedJobs }");
  } finally {
    await service.close();
  }
});

const STARTS_MS = 2000;

it("starts another user's jobs within 2 s while one user fills all workers", async () => {
  const service = await startTestService({
    workers: 2,
    env: { WORKER_TASKS: "4", WORKER_CONCURRENCY: "1" },
  });
  try {
    const [hog, other] = await Promise.all([service.person(), service.person()]);
    const { json: photo } = await other.upload(smallPhoto(), { type: "image/png" });
    // The children start with the first photo.
    await other.finished((await other.enqueue("placeholder", {}, { photoIds: [photo["id"]] })).id);
    const inputs = Array.from({ length: 100 }, () => ({
      job: "echo",
      parameters: { durationMs: 60_000 },
    }));
    await hog.get(
      "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
      { inputs },
    );
    await eventually(
      "the echoes hold half of each worker",
      async () =>
        (await hog.get("{ queuedJobs(filter: { status: [STARTED] }) { totalCount } }")).queuedJobs
          .totalCount >= 4,
    );

    const waits: Record<string, number> = {};
    for (const [job, photoIds] of [
      ["placeholder", [photo["id"]]],
      ["echo", []],
    ] as const) {
      const { id } = await other.enqueue(job, {}, { photoIds, fresh: true });
      await other.finished(id, 10_000);
      const [row] = await service.database.sql<
        { ms: number }[]
      >`select extract(epoch from started_at - created_at)::float8 * 1000 as ms from queued_jobs
          where id = ${id}`;
      waits[job] = row?.ms ?? Infinity;
    }
    assert.ok(
      Object.values(waits).every((ms) => ms < STARTS_MS),
      JSON.stringify(waits),
    );
    await hog.get("mutation { cancelQueuedJobs }");
  } finally {
    await service.close();
  }
});
