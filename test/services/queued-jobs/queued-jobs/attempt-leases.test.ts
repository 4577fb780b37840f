import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { stall } from "../../../../src/services/queued-jobs/attempt.js";
import { findLapsed } from "../../../../src/services/queued-jobs/maintenance/take-over.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("leases", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  /** Makes the lease lapse, as if the worker was silent for longer than the lease. */
  const lapse = (id: string) =>
    services.database.sql`update queued_jobs set lease_until = clock_timestamp() - interval '1 ms',
        started_at = now() - interval '1 minute' where id = ${id}`;
  const started = async (worker?: string) => services.start(await services.submit(user), worker);

  it("that lapsed are taken over beside one whose row is locked", async () => {
    const [free, locked] = [await started(), await started()];
    for (const { id } of [free, locked]) await lapse(id);
    const { sql } = services.database;
    const taken = await sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${locked.id} for update`;
      return services.queuedJobs.takeOverLapsed(100);
    });
    assert.deepEqual([taken, await services.queuedJobs.takeOverLapsed(100)], [1, 1]);
  });

  it("end with the account of their owner", async () => {
    const claimed = await started("a");
    await services.database.sql`delete from user_streams where user_id = ${user.id}`;
    assert.deepEqual(await services.queuedJobs.renewLeases("a", [claimed]), new Set());
    await lapse(claimed.id);
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 0);
    await services.database.sql`delete from users where id = ${user.id}`;
  });

  it("are renewed without an event or a new version", async () => {
    const claimed = await started("quiet");
    const eventCount = services.published.length;
    await services.queuedJobs.renewLeases("quiet", [claimed]);
    assert.deepEqual(
      [services.published.length, (await services.row(claimed.id)).version],
      [eventCount, 2],
    );
  });

  it("may be renewed when the worker has none", async () =>
    assert.deepEqual(await services.queuedJobs.renewLeases("idle", []), new Set()));

  it("keep other workers from their QueuedJobs", async () => {
    await started();
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 0);
  });

  it("that lapse pass the attempt to another worker, without a counted failure", async () => {
    const claimed = await started();
    await lapse(claimed.id);
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
    const row = await services.row(claimed.id);
    assert.deepEqual(
      [row.status, row.run, row.attempts, row.failures, row.stalls, row.version],
      ["PENDING", 2, 1, 0, 1, 3],
    );
    const event = services.published.at(-1);
    assert.deepEqual(
      [event?.type, event?.queuedJob.error],
      [
        "RETRYING",
        { code: "STALLED", message: "The worker of this attempt died or lost its connection." },
      ],
    );
    assert.deepEqual(
      [services.hinted.at(-1)?.id, services.hinted.at(-1)?.run, services.hinted.at(-1)?.delayMs],
      [claimed.id, 2, 0],
    );
    assert.deepEqual([(await services.start(claimed, "another")).stalls], [1]);
  });

  it("that lapse a second time end the QueuedJob as STALLED", async () => {
    const claimed = await started();
    await lapse(claimed.id);
    await services.queuedJobs.takeOverLapsed(100);
    await services.start(claimed);
    await lapse(claimed.id);
    const hints = services.hinted.length;
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
    const queuedJob = await services.queuedJobs.find(user, claimed.id);
    assert.deepEqual(
      [queuedJob?.status, queuedJob?.attempts, queuedJob?.error],
      [
        "FAILED",
        2,
        {
          code: "STALLED",
          message:
            "The worker of this attempt died or lost its connection. This happened 2 times, " +
            "so there is no further attempt.",
        },
      ],
    );
    assert.deepEqual(
      [
        services.published.at(-1)?.type,
        services.published.at(-1)?.queuedJob,
        services.hinted.length,
      ],
      ["FAILED", queuedJob, hints],
    );
    assert.deepEqual(await services.users.counters(user.id), { pending: 0, storedBytes: 0 });
  });

  it("count deaths from zero after a retry by the owner", async () => {
    const claimed = await started();
    for (let death = 0; death < 2; death++) {
      if (death > 0) await services.start(claimed);
      await lapse(claimed.id);
      await services.queuedJobs.takeOverLapsed(100);
    }
    await services.queuedJobs.retry(user, claimed.id);
    assert.equal((await services.start(claimed)).stalls, 0);
    await lapse(claimed.id);
    await services.queuedJobs.takeOverLapsed(100);
    assert.equal((await services.row(claimed.id)).status, "PENDING");
  });

  it("do not count a death as a failed attempt", async () => {
    const claimed = await started();
    await lapse(claimed.id);
    await services.queuedJobs.takeOverLapsed(100);
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await services.database.sql`update queued_jobs set due_at = now() where id = ${claimed.id}`;
      outcomes.push(
        await services.queuedJobs.fail(await services.start(claimed), {
          code: "TASK_FAILED",
          message: "No.",
          permanent: false,
        }),
      );
    }
    assert.deepEqual(outcomes, ["RETRYING", "RETRYING", "FAILED"]);
    assert.equal((await services.row(claimed.id)).attempts, 4);
  });

  it("that are renewed between the read and the take-over stay with their worker", async () => {
    const claimed = await started("back");
    await lapse(claimed.id);
    const { sql } = services.database;
    const [lapsed] = await findLapsed(sql, 10);
    assert.deepEqual(lapsed, { id: claimed.id, attempt: 1 });
    assert.deepEqual(
      await services.queuedJobs.renewLeases("back", [claimed]),
      new Set([claimed.id]),
    );
    assert.equal(await stall(sql, { id: claimed.id, attempt: 1, ttlSeconds: 60 }), null);
    assert.equal((await services.row(claimed.id)).status, "STARTED");
  });

  it("of an older attempt do not affect the current one", async () => {
    const claimed = await started();
    await services.queuedJobs.handBack(claimed, 0);
    await services.start(claimed);
    await lapse(claimed.id);
    assert.equal(
      await stall(services.database.sql, { id: claimed.id, attempt: 1, ttlSeconds: 60 }),
      null,
    );
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
  });

  it("are taken over once by several concurrent callers, up to the limit", async () => {
    const claims = await Promise.all(Array.from({ length: 12 }, () => started()));
    for (const { id } of claims) await lapse(id);
    assert.equal(await services.queuedJobs.takeOverLapsed(2), 2);
    const taken = await Promise.all([1, 2, 3].map(() => services.queuedJobs.takeOverLapsed(100)));
    assert.equal(
      taken.reduce((sum, n) => sum + n),
      10,
    );
    for (const { id } of claims)
      assert.deepEqual([(await services.row(id)).stalls, (await services.row(id)).version], [1, 3]);
  });

  it("leave consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
