// One lost hint, while thousands of other rows wait in the slow lane with their hints.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { createHintQueue, hintId, type HintQueue } from "../../../src/queue/hint-queue.js";
import { createDuties } from "../../../src/services/maintenance/duties.js";
import { createReconciler } from "../../../src/worker/reconciler.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";

const OWNERS = 12_500;
const WAITING = 13_000;

describe(`behind ${WAITING} waiting jobs of ${OWNERS} users`, long, () => {
  let core: TestCore;
  let queue: HintQueue;
  let redis: Redis;
  before(async () => {
    core = await createTestCore({
      hints: (store) =>
        (queue = createHintQueue({ redisUrl: store.url, prefix: store.prefix, log: silentLog })),
    });
    redis = new Redis(core.redis.url);
    const { sql } = core.database;
    await sql`
      insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
        created_at)
      select md5('user' || i)::uuid, 'many', i, i || '@example.test', true, 'n', 0, now()
      from generate_series(0, ${OWNERS - 1}) i`;
    await sql`insert into user_streams (user_id, pending) select id, 2 from users`;
    const rows = await sql<{ id: string }[]>`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at,
        created_at, updated_at, status)
      select gen_random_uuid(), md5('user' || i % ${OWNERS})::uuid, 'thumbnail', '{}', 0, 0, 'seed',
        now() - interval '1 minute', now(), now() - interval '1 minute', 'PENDING'
      from generate_series(1, ${WAITING}) i returning id`;
    await eventually(
      "Redis is there",
      async () => !(await queue.hasForgotten()) && (await queue.addMissing([])) === 0,
    );
    await queue.addMissing(
      rows.map(({ id }) => ({
        id,
        run: 1,
        requestId: "seed",
        userId: id,
        lane: "child",
        priority: 0,
        backlog: 0,
        delayMs: 0,
      })),
    );
  });
  after(async () => {
    redis.disconnect();
    await core.close();
  });

  it("a lost hint is restored within 15 s", { timeout: 120_000 }, async (t) => {
    const { id } = await core.submit(await core.newUser());
    const key = `${core.redis.prefix}:tasks-in-worker:${hintId(id, 1)}`;
    const isThere = async () => (await redis.exists(key)) === 1;
    await eventually("it has a hint", isThere);
    await redis.del(key);
    const lost = Date.now();
    const reconciler = createReconciler({
      queuedJobs: core.queuedJobs,
      hints: core.hints,
      duties: createDuties(core.database),
      worker: "w",
      log: silentLog,
    });
    try {
      await eventually("it is back", isThere, 15_000);
      t.diagnostic(`it is back after ${Date.now() - lost} ms`);
    } finally {
      await reconciler.close();
    }
    assert.ok(Date.now() - lost < 15_000);
  });
});
