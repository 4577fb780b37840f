import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const FAULT = { code: "TASK_FAILED", message: "No.", permanent: false };

describe("an attempt", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const lastPublished = () => services.published.at(-1);
  const makeDue = (id: string) =>
    services.database.sql`update queued_jobs set due_at = now() where id = ${id}`;

  describe("claimed", () => {
    it("is STARTED, leased and published", async () => {
      const { id } = await services.submit(user);
      const claimed = await services.start({ id }, "worker 1");
      const row = await services.row(id);
      assert.deepEqual(
        [row.status, row.attempts, row.version, row.worker, row.progress],
        ["STARTED", 1, 2, "worker 1", 0],
      );
      assert.ok(row.lease !== null && row.lease > 175 && row.lease <= 180, String(row.lease));
      assert.deepEqual(
        [claimed.attempt, claimed.failures, claimed.stalls, claimed.requestId, claimed.startedSeq],
        [1, 0, 0, "request", 2],
      );
      assert.equal(lastPublished()?.type, "STARTED");
      assert.deepEqual(lastPublished()?.queuedJob, claimed.queuedJob);
      assert.ok(claimed.queuedJob.startedAt);
    });

    it("is claimed once when 20 workers try at once", async () => {
      const { id } = await services.submit(user);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          services.queuedJobs.start({ id, run: 1, worker: `worker ${i}` }),
        ),
      );
      const [winner, ...others] = claims.filter((claimed) => claimed !== null);
      assert.deepEqual(others, []);
      assert.equal(
        (await services.row(id)).worker,
        `worker ${claims.findIndex((claimed) => claimed === winner)}`,
      );
      assert.equal(
        services.published.filter(
          ({ type, queuedJob }) => type === "STARTED" && queuedJob.id === id,
        ).length,
        1,
      );
    });

    for (const run of [0, 1, 3]) {
      it(`finds nothing by a hint of run ${run} when the current run is 2`, async () => {
        const { id } = await services.submit(user);
        await services.queuedJobs.handBack(await services.start({ id }), 0);
        assert.equal(await services.queuedJobs.start({ id, run, worker: "late" }), null);
        assert.equal((await services.row(id)).status, "PENDING");
      });
    }

    it("finds nothing before its run time", async () => {
      const { id } = await services.submit(user, { runAt: new Date(Date.now() + 3600_000) });
      assert.equal(await services.queuedJobs.start({ id, run: 1, worker: "early" }), null);
      await makeDue(id);
      assert.equal(
        (await services.queuedJobs.start({ id, run: 1, worker: "on time" }))?.attempt,
        1,
      );
    });

    it("finds nothing before the end of the pause after a failure", async () => {
      const { id } = await services.submit(user);
      await services.queuedJobs.fail(await services.start({ id }), FAULT);
      // Longer than this test may take.
      await services.database
        .sql`update queued_jobs set due_at = due_at + interval '1 minute' where id = ${id}`;
      assert.equal(await services.queuedJobs.start({ id, run: 2, worker: "early" }), null);
    });

    it("finds nothing of a cancelled QueuedJob or of an unknown id", async () => {
      const { id } = await services.submit(user);
      await services.queuedJobs.cancel(user, id);
      assert.equal(await services.queuedJobs.start({ id, run: 1, worker: "late" }), null);
      assert.equal(await services.queuedJobs.start({ id: user.id, run: 1, worker: "lost" }), null);
    });
  });

  it("becomes claimable when it is due", async () => {
    const { id } = await services.submit(user);
    await services.database
      .sql`update queued_jobs set due_at = clock_timestamp() + interval '20 seconds'
        where id = ${id}`;
    const request = { id, run: 1, worker: "worker" };
    const wait =
      (await services.queuedJobs.start(request)) ??
      (await services.queuedJobs.claimableIn(request));
    assert.ok(
      typeof wait === "number" && wait > 18_000 && wait <= 20_000,
      `${JSON.stringify(wait)}`,
    );
    await services.database
      .sql`update queued_jobs set due_at = clock_timestamp() + interval '2 minutes'
        where id = ${id}`;
    assert.equal(await services.queuedJobs.claimableIn(request), null, "the reconciler handles it");
  });

  it("leaves consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
