import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { retry } from "../../../src/services/queued-jobs/bulk/retry-rows.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { outcomeOf } from "../../support/asserts/outcome-of.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { createEachStatus } from "./owner-steps/each-status.js";

const NOT_FOUND = { code: "NOT_FOUND", message: "There is no such QueuedJob." };
describe("a step of an owner", () => {
  let services: TestServices;
  let user: User;
  let states: ReturnType<typeof createEachStatus>;
  let admin: User;
  before(async () => {
    services = await createTestServices({ maxPending: 5 });
    admin = await services.newUser("ADMIN");
  });
  beforeEach(async () => {
    user = await services.newUser();
    states = createEachStatus(services, user);
  });
  after(() => services.close());

  async function present({ id }: { id: string }): Promise<QueuedJob> {
    const queuedJob = await services.queuedJobs.find(user, id);
    assert.ok(queuedJob);
    return queuedJob;
  }

  for (const step of ["cancel", "retry", "remove"] as const) {
    it(`to ${step} answers NOT_FOUND for another user's QueuedJob`, async () => {
      const other = await services.newUser();
      const { id } = await (step === "cancel" ? states.PENDING() : states.CANCELLED());
      const before_ = await services.everythingOf(user);
      assert.deepEqual(
        [
          await refusalOf(services.queuedJobs[step](other, id)),
          await refusalOf(services.queuedJobs[step](user, uuidv7())),
        ],
        [NOT_FOUND, NOT_FOUND],
      );
      assert.deepEqual(await services.everythingOf(user), before_);
    });

    it(`to ${step} is allowed for an admin, and notifies the owner`, async () => {
      const { id } = await (step === "cancel" ? states.PENDING() : states.CANCELLED());
      await services.queuedJobs[step](admin, id);
      assert.deepEqual(
        [services.published.at(-1)?.queuedJob.id, services.published.at(-1)?.queuedJob.userId],
        [id, user.id],
      );
    });
  }

  it("to find a QueuedJob returns null for another user's, except to an admin", async () => {
    const { id } = await states.PENDING();
    const found = await Promise.all(
      [user, await services.newUser(), admin].map(
        async (actor) => (await services.queuedJobs.find(actor, id))?.id,
      ),
    );
    assert.deepEqual(found, [id, undefined, id]);
    assert.equal(await services.queuedJobs.find(admin, uuidv7()), null);
  });

  describe("to cancel", () => {
    it("ends a waiting QueuedJob, removes its hint and frees its place", async () => {
      const { id } = await states.PENDING();
      const cancelled = await services.queuedJobs.cancel(user, id);
      assert.deepEqual(
        [cancelled.status, cancelled.version, cancelled.error, cancelled.attempts],
        ["CANCELLED", 2, null, 0],
      );
      assert.equal(
        Date.parse(cancelled.expiresAt ?? "") - Date.parse(cancelled.finishedAt ?? ""),
        3600_000,
      );
      assert.deepEqual(
        [services.published.at(-1)?.type, services.published.at(-1)?.queuedJob],
        ["CANCELLED", cancelled],
      );
      assert.deepEqual(services.unhinted.at(-1), { lane: "worker", id, run: 1 });
      assert.deepEqual(
        [(await services.users.counters(user.id)).pending, await present(cancelled)],
        [0, cancelled],
      );
    });

    it("ends a running QueuedJob at once, and notifies its worker", async () => {
      const { id } = await states.STARTED();
      const cancelled = await services.queuedJobs.cancel(user, id);
      assert.deepEqual(
        [cancelled.status, cancelled.version, (await services.row(id)).lease],
        ["CANCELLED", 3, null],
      );
      assert.equal(services.stopped.at(-1), id);
    });

    it("notifies no worker of a QueuedJob that never ran", async () => {
      const { id } = await states.CANCELLED();
      assert.ok(!services.stopped.includes(id));
    });

    it("changes and publishes nothing for a cancelled QueuedJob", async () => {
      const cancelled = await states.CANCELLED();
      const eventCount = services.published.length;
      assert.deepEqual(await services.queuedJobs.cancel(user, cancelled.id), cancelled);
      assert.equal(services.published.length, eventCount);
    });

    for (const status of ["SUCCESS", "FAILED"] as const) {
      it(`is refused for status ${status}`, async () => {
        const { id } = await states[status]();
        const before_ = await services.everythingOf(user);
        assert.deepEqual(await refusalOf(services.queuedJobs.cancel(user, id)), {
          code: "CONFLICT",
          message: `The QueuedJob is ${status}: only a PENDING or STARTED one can be cancelled.`,
        });
        assert.deepEqual(await services.everythingOf(user), before_);
      });
    }

    it("is one step when ten requests come at once, and all return CANCELLED", async () => {
      const { id } = await states.STARTED();
      const all = await Promise.all(
        Array.from({ length: 10 }, () => services.queuedJobs.cancel(user, id)),
      );
      assert.deepEqual(
        new Set(all.map(({ status, version }) => `${status} ${version}`)),
        new Set(["CANCELLED 3"]),
      );
      assert.equal(
        services.published.filter(
          ({ type, queuedJob }) => type === "CANCELLED" && queuedJob.id === id,
        ).length,
        1,
      );
    });
  });

  describe("to retry", () => {
    for (const status of ["FAILED", "CANCELLED"] as const) {
      it(`resets a ${status} QueuedJob except its version and its number of attempts`, async () => {
        const before_ = await states[status]();
        const again = await services.queuedJobs.retry(user, before_.id);
        assert.deepEqual(again, {
          ...before_,
          status: "PENDING",
          version: before_.version + 1,
          progress: 0,
          progressMessage: null,
          result: null,
          error: null,
          outputs: [],
          startedAt: null,
          finishedAt: null,
          expiresAt: null,
          updatedAt: again.updatedAt,
        });
        assert.deepEqual(
          [
            services.published.at(-1)?.type,
            services.published.at(-1)?.queuedJob,
            await present(again),
          ],
          ["QUEUED", again, again],
        );
        const row = await services.row(again.id);
        assert.deepEqual([row.run, row.failures, row.stalls], [2, 0, 0]);
        assert.deepEqual(
          [
            services.hinted.at(-1)?.id,
            services.hinted.at(-1)?.run,
            services.hinted.at(-1)?.delayMs,
          ],
          [again.id, 2, 0],
        );
        assert.equal((await services.start(again)).attempt, before_.attempts + 1);
      });
    }

    it("clears the run time, so that it runs now", async () => {
      const { id } = await services.submit(user, { runAt: new Date(Date.now() + 3600_000) });
      await services.queuedJobs.cancel(user, id);
      assert.equal((await services.queuedJobs.retry(user, id)).runAt, null);
      assert.equal((await services.start({ id })).attempt, 1);
    });

    it("gives it all attempts of its Job again", async () => {
      const { id } = await states.FAILED();
      await services.queuedJobs.retry(user, id);
      assert.equal(
        await services.queuedJobs.fail(await services.start({ id }), {
          code: "TASK_FAILED",
          message: "No.",
          permanent: false,
        }),
        "RETRYING",
      );
      assert.equal((await services.row(id)).failures, 1);
    });

    for (const status of ["PENDING", "STARTED", "SUCCESS"] as const) {
      it(`is refused for status ${status}`, async () => {
        const { id } = await states[status]();
        assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), {
          code: "CONFLICT",
          message: `The QueuedJob is ${status}: only a FAILED or CANCELLED one can be retried.`,
        });
      });
    }

    it("is refused when one of its photos was deleted", async () => {
      const [kept, gone] = [await services.newPhoto(user), await services.newPhoto(user)];
      const { id } = await services.submit(user, { job: "album", photoIds: [kept.id, gone.id] });
      await services.queuedJobs.cancel(user, id);
      await services.photos.remove(user.id, gone.id);
      assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), {
        code: "CONFLICT",
        message:
          "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob.",
      });
    });

    it("protects its photos from deletion while it is under way", async () => {
      const { sql } = services.database;
      const photo = await services.newPhoto(user);
      const { id } = await services.submit(user, { job: "album", photoIds: [photo.id] });
      await services.queuedJobs.cancel(user, id);
      const deleting = () =>
        sql.begin(async (tx) => {
          await tx`set local lock_timeout = 50`;
          await tx`delete from photos where id = ${photo.id}`;
        });
      const retrying = sql.begin(async (tx) => {
        assert.notEqual(
          await retry(tx as unknown as Sql, { id, maxPending: 5, maxRecordedBytes: 1e9 }),
          null,
        );
        await assert.rejects(deleting(), { code: "55P03" });
        throw new Error("undone");
      });
      await assert.rejects(retrying, { message: "undone" });
    });

    it("is refused above the quota without a trace", async () => {
      const { id } = await states.CANCELLED();
      await services.submitMany(user, [{}, {}, {}, {}, {}]);
      const before_ = await services.everythingOf(user);
      assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), {
        code: "QUOTA_EXCEEDED",
        message:
          "Quota exceeded: at most 5 unfinished QueuedJobs per user; wait until some finish.",
        retryAfterMs: 5000,
      });
      assert.deepEqual(await services.everythingOf(user), before_);
    });

    it("happens once when ten requests come at once", async () => {
      const { id } = await states.CANCELLED();
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => outcomeOf(services.queuedJobs.retry(user, id))),
      );
      assert.deepEqual(outcomes.toSorted(), [
        ...Array.from({ length: 9 }, () => "CONFLICT"),
        "done",
      ]);
      assert.deepEqual([(await services.row(id)).run, (await services.row(id)).version], [2, 3]);
    });
  });

  it("leaves consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
