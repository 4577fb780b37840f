import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { retry } from "../../../src/services/queued-jobs/owner-steps.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertToldWhole } from "../../support/asserts/assert-told-whole.js";
import { outcomeOf } from "../../support/asserts/outcome-of.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { createEachStatus } from "./owner-steps/each-status.js";

const NOT_FOUND = { code: "NOT_FOUND", message: "There is no such QueuedJob." };
describe("what an owner does", () => {
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
    it(`${step}s nothing that is another's, or nobody's, and cannot tell the two apart`, async () => {
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

    it(`lets an admin ${step} another's, and tells its owner`, async () => {
      const { id } = await (step === "cancel" ? states.PENDING() : states.CANCELLED());
      await services.queuedJobs[step](admin, id);
      assert.deepEqual(
        [services.published.at(-1)?.queuedJob.id, services.published.at(-1)?.queuedJob.userId],
        [id, user.id],
      );
    });
  }

  it("finds one's own; another's is null, but for an admin", async () => {
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
    it("ends a waiting one, takes its hint back and frees its place", async () => {
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

    it("ends a running one at once, and tells its worker to stop", async () => {
      const { id } = await states.STARTED();
      const cancelled = await services.queuedJobs.cancel(user, id);
      assert.deepEqual(
        [cancelled.status, cancelled.version, (await services.row(id)).lease],
        ["CANCELLED", 3, null],
      );
      assert.equal(services.stopped.at(-1), id);
    });

    it("tells no worker to stop what never ran", async () => {
      const { id } = await states.CANCELLED();
      assert.ok(!services.stopped.includes(id));
    });

    it("changes and tells nothing of one that is cancelled already", async () => {
      const cancelled = await states.CANCELLED();
      const told = services.published.length;
      assert.deepEqual(await services.queuedJobs.cancel(user, cancelled.id), cancelled);
      assert.equal(services.published.length, told);
    });

    for (const status of ["SUCCESS", "FAILED"] as const) {
      it(`is refused when it is ${status}`, async () => {
        const { id } = await states[status]();
        const before_ = await services.everythingOf(user);
        assert.deepEqual(await refusalOf(services.queuedJobs.cancel(user, id)), {
          code: "CONFLICT",
          message: `The QueuedJob is ${status}: only a PENDING or STARTED one can be cancelled.`,
        });
        assert.deepEqual(await services.everythingOf(user), before_);
      });
    }

    it("is one step when ten do it at once, and all learn that it is cancelled", async () => {
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

  describe("to send again", () => {
    for (const status of ["FAILED", "CANCELLED"] as const) {
      it(`puts a ${status} one back as if it were new, but for its version and its attempts`, async () => {
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

    it("forgets the run time, so that it runs now", async () => {
      const { id } = await services.submit(user, { runAt: new Date(Date.now() + 3600_000) });
      await services.queuedJobs.cancel(user, id);
      assert.equal((await services.queuedJobs.retry(user, id)).runAt, null);
      assert.equal((await services.start({ id })).attempt, 1);
    });

    it("gives it all of its Job's attempts again", async () => {
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
      it(`is refused when it is ${status}`, async () => {
        const { id } = await states[status]();
        assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), {
          code: "CONFLICT",
          message: `The QueuedJob is ${status}: only a FAILED or CANCELLED one can be retried.`,
        });
      });
    }

    it("is refused when a photo of it is gone", async () => {
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

    it("keeps its photos from being deleted while it is under way", async () => {
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

    it("is refused over the quota, and leaves no trace", async () => {
      const { id } = await states.CANCELLED();
      await services.submitMany(user, [{}, {}, {}, {}, {}]);
      const before_ = await services.everythingOf(user);
      assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), {
        code: "QUOTA_EXCEEDED",
        message:
          "Quota exceeded: at most 5 unfinished QueuedJobs per user; wait until some have finished.",
        retryAfterMs: 5000,
      });
      assert.deepEqual(await services.everythingOf(user), before_);
    });

    it("happens once when ten do it at once", async () => {
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

  it("leaves counters, numbers and events in step", async () => {
    await assertConsistent(services.database.sql);
    assertToldWhole(services.published);
  });
});
