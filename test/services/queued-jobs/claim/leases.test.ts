// The leases that a worker renews in one row, beside those of the release before in their rows.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "../../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("leases of workers", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const started = async (worker: string) => services.start(await services.submit(user), worker);
  /** Makes the lease of the row lapse. */
  const lapseRow = (id: string) =>
    services.database.sql`update queued_jobs set lease_until = clock_timestamp() - interval '1 ms'
        where id = ${id}`;
  /** Ages the claim by a minute, so that it no longer holds by itself. */
  const age = (id: string) =>
    services.database.sql`update queued_jobs set started_at = now() - interval '1 minute'
        where id = ${id}`;
  /** Makes the lease of a worker lapse, as if it had died. */
  const kill = (worker: string) =>
    services.database.sql`update worker_leases set valid_until = clock_timestamp()
        where worker = ${worker}`;
  const leaseOf = async (worker: string) => {
    const [lease] = await services.database.sql<{ ids: string[]; seconds: number }[]>`
      select queued_job_ids as ids, extract(epoch from valid_until - clock_timestamp())::float8
        as seconds from worker_leases where worker = ${worker}`;
    return lease ?? assert.fail("it has no lease");
  };

  it("are renewed for all attempts that still belong to a worker", async () => {
    const [mine, alsoMine, cancelled, older, others] = [
      await started("a"),
      await started("a"),
      await started("a"),
      await started("a"),
      await started("b"),
    ];
    await services.queuedJobs.cancel(user, cancelled.id);
    await services.queuedJobs.handBack(older, 0);
    await services.start(older, "a");
    const asked = [others, older, alsoMine, cancelled, mine, { id: user.id, attempt: 1 }];
    const ids = new Set([mine.id, alsoMine.id]);
    assert.deepEqual(await services.queuedJobs.renewLeases("a", asked), ids);
    const lease = await leaseOf("a");
    assert.deepEqual(new Set(lease.ids), ids);
    assert.ok(lease.seconds > 25 && lease.seconds <= 30, String(lease.seconds));
  });

  it("are renewed although rows are locked", async () => {
    const [mine, locked] = [await started("a"), await started("a")];
    await services.database
      .sql`update queued_jobs set lease_until = clock_timestamp() + interval '20 seconds'
          where user_id = ${user.id}`;
    const renewed = await services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${locked.id} for update`;
      return services.queuedJobs.renewLeases("a", [locked, mine]);
    });
    assert.deepEqual(renewed, new Set([mine.id, locked.id]));
    const lengthened = await Promise.all(
      [mine, locked].map(async ({ id }) => ((await services.row(id)).lease ?? 0) > 25),
    );
    assert.deepEqual(lengthened, [true, false], "the row's own lease is renewed later");
  });

  it("hold attempts of any age, and no longer than their worker renews them", async () => {
    const [held, alsoHeld] = [await started("c"), await started("c")];
    await services.queuedJobs.renewLeases("c", [held, alsoHeld]);
    for (const { id } of [held, alsoHeld]) {
      await age(id);
      await lapseRow(id);
    }
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 0);
    await kill("c");
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 2);
  });

  it("that their worker no longer renews lapse although it renews others", async () => {
    const [held, orphan] = [await started("d"), await started("d")];
    await services.queuedJobs.renewLeases("d", [held]);
    for (const { id } of [held, orphan]) await age(id);
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
    assert.equal((await services.row(orphan.id)).status, "PENDING");
  });

  it("begin with the claim, before their worker has renewed them", async () => {
    const first = await started("e");
    await services.queuedJobs.renewLeases("e", [first]);
    await kill("e");
    const claimed = await started("e");
    await age(first.id);
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
    assert.equal((await services.row(claimed.id)).status, "STARTED");
    await age(claimed.id);
    assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
  });

  describe("beside workers of the release before", () => {
    /** Claims, as they do, with a lease of 30 s that they renew in the row. */
    async function startedThere(): Promise<string> {
      const { id } = await started("before");
      await services.database
        .sql`update queued_jobs set lease_until = clock_timestamp() + interval '30 seconds'
            where id = ${id}`;
      await age(id);
      return id;
    }

    it("are those of the row for their attempts", async () => {
      const id = await startedThere();
      assert.equal(await services.queuedJobs.takeOverLapsed(100), 0);
      await lapseRow(id);
      assert.equal(await services.queuedJobs.takeOverLapsed(100), 1);
    });

    it("are renewed in the row as well, seldom and early enough for them", async () => {
      const claimed = await started("f");
      const secondsAfter = async (seconds: number) => {
        await services.database.sql`update queued_jobs set lease_until = clock_timestamp() +
            ${seconds} * interval '1 second' where id = ${claimed.id}`;
        await services.queuedJobs.renewLeases("f", [claimed]);
        return Math.ceil((await services.row(claimed.id)).lease ?? 0);
      };
      assert.deepEqual([await secondsAfter(100), await secondsAfter(80)], [100, 180]);
    });
  });
});
