// One lost hint behind many paused rows, which must neither hide it nor get hints themselves.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createHintQueue, hintId, type HintQueue } from "../../../src/queue/hint-queue.js";
import { createDuties } from "../../../src/services/maintenance/duties.js";
import { createPauses } from "../../../src/services/operators/pauses.js";
import { createRedis } from "../../../src/runtime/redis.js";
import { createReconciler, type Reconciler } from "../../../src/worker/reconciler.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";

const PAUSED = 100_000;
const CHUNK = 10_000;
const BY = { actor: "admin", requestId: "request" };

describe(`behind ${PAUSED} paused jobs`, long, () => {
  let core: TestCore;
  let queue: HintQueue;
  let reconciler: Reconciler;
  let redis: ReturnType<typeof createRedis>;
  before(async () => {
    core = await createTestCore({
      hints: ({ url, prefix }) => {
        redis = createRedis({ url, prefix, purpose: "tests", failFast: false, log: silentLog });
        return (queue = createHintQueue({ redisUrl: url, prefix, log: silentLog }));
      },
    });
    const { sql } = core.database;
    const user = await core.newUser();
    await sql`insert into pauses (kind, subject, at, actor, reason)
      values ('JOB', 'thumbnail', now(), 'admin', '')`;
    // One statement for all would take too long.
    for (let i = 0; i < PAUSED; i += CHUNK)
      await sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${user.id}, 'thumbnail', '{}', 0, 0, 'seed',
        now() - interval '1 hour', now(), now() - interval '1 hour', 'PENDING'
      from generate_series(1, ${CHUNK})`;
    await eventually(
      "Redis is there",
      async () => !(await queue.hasForgotten()) && (await queue.addMissing([])) === 0,
    );
    reconciler = createReconciler({
      queuedJobs: core.queuedJobs,
      hints: core.hints,
      duties: createDuties(core.database),
      worker: "w",
      log: silentLog,
    });
  });
  after(async () => {
    await reconciler?.close();
    redis?.disconnect();
    await core?.close();
  });
  const childHints = () => redis.zcard(`${core.redis.prefix}:tasks-in-child:prioritized`);

  it("a lost hint is restored within 15 s", { timeout: 120_000 }, async (t) => {
    const { id } = await core.submit(await core.newUser());
    const key = `${core.redis.prefix}:tasks-in-worker:${hintId(id, 1)}`;
    const isThere = async () => (await redis.exists(key)) === 1;
    await eventually("it has a hint", isThere);
    await redis.del(key);
    const lost = Date.now();
    await eventually("it is back", isThere, 15_000);
    t.diagnostic(`it is back after ${Date.now() - lost} ms`);
    assert.equal(await childHints(), 0);
  });

  it(
    "the first resumed ones have hints within 5 s, and thousands soon",
    { timeout: 120_000 },
    async (t) => {
      const pauses = createPauses({ database: core.database, hints: core.hints });
      const resumed = Date.now();
      await pauses.resume({ kind: "JOB", subject: "thumbnail" }, BY);
      await eventually("the first are back", async () => (await childHints()) > 0, 5000);
      t.diagnostic(`the first are back after ${Date.now() - resumed} ms`);
      await eventually("more are back", async () => (await childHints()) >= CHUNK, 60_000);
      t.diagnostic(`${CHUNK} are back after ${Date.now() - resumed} ms`);
    },
  );
});
