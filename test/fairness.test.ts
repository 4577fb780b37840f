// One person's thousands do not stand before another's first.
import assert from "node:assert/strict";
import { it } from "node:test";
import { startTestService } from "./support/test-service.js";

const MANY = 500;
/** A block of one owner's hints, and what is under way already. */
const FEW = 16 + 2 * 2;

it("starts another's first after a few of the many that wait, and tells the many how many stand before them", async () => {
  const service = await startTestService({ env: { WORKER_TASKS: "2", WORKER_CONCURRENCY: "2" } });
  try {
    const [hog, other] = await Promise.all([service.person(), service.person()]);
    const inputs = Array.from({ length: 100 }, () => ({ job: "echo", parameters: { durationMs: 20 } }));
    for (let made = 0; made < MANY; made += inputs.length) await hog.get("mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }", { inputs });
    const { queuedJobs } = await hog.get("{ queuedJobs(first: 1) { nodes { queuePosition status } } }");
    const first = await other.enqueue("echo");
    await other.finished(first.id);

    const [{ between, waiting } = { between: -1, waiting: -1 }] = await service.database.sql<{ between: number; waiting: number }[]>`
      select count(*) filter (where h.started_at > f.created_at and h.started_at < f.started_at)::int as between, count(*) filter (where h.started_at is null or h.started_at > f.started_at)::int as waiting
      from queued_jobs f join queued_jobs h on h.user_id <> f.user_id where f.id = ${first.id}`;
    assert.ok(between <= FEW, `${between} of the many were started before it`);
    assert.ok(waiting > MANY / 4, `only ${waiting} still waited: they were too few to prove anything`);
    assert.ok(queuedJobs.nodes[0].queuePosition > MANY / 4, `the last of the many stands at ${queuedJobs.nodes[0].queuePosition}`);
    await hog.get("mutation { cancelQueuedJobs }");
  } finally {
    await service.close();
  }
});
