import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { QueuedJob, StoredOutput } from "../../../../src/domain/queued-job.js";
import { removeFinished } from "../../../../src/services/queued-jobs/remove.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { createEachStatus } from "./each-status.js";

const output = (storageKey: string): StoredOutput => ({
  name: "a.webp",
  mimeType: "image/webp",
  byteSize: 70,
  width: 3,
  height: 2,
  storageKey,
});

describe("a step of an owner", () => {
  let services: TestServices;
  let user: User;
  let states: ReturnType<typeof createEachStatus>;
  before(async () => {
    services = await createTestServices({ maxPending: 5 });
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

  describe("to delete", () => {
    it("removes the row, outputs, files and earlier events, and publishes DELETED", async () => {
      const { id } = await states.STARTED();
      await services.queuedJobs.succeed({ ...(await restart(id)) }, null, [
        output(`outputs/${id}`),
      ]);
      const before_ = await present({ id });
      assert.equal((await services.users.counters(user.id)).storedBytes, 70);
      await services.queuedJobs.remove(user, id);
      const { sql } = services.database;
      assert.deepEqual(
        [
          await services.queuedJobs.find(user, id),
          [...(await sql`select from queued_job_outputs where queued_job_id = ${id}`)].length,
        ],
        [null, 0],
      );
      const events = await sql`select type, seq::int, (snapshot->>'version')::int as version
            from queued_job_events where queued_job_id = ${id}`;
      const { seq } = services.published.at(-1) ?? { seq: 0 };
      assert.deepEqual([...events], [{ type: "DELETED", seq, version: before_.version + 1 }]);
      assert.deepEqual(services.published.at(-1), {
        seq,
        type: "DELETED",
        at: services.published.at(-1)?.at,
        queuedJob: { ...before_, version: before_.version + 1, outputs: [] },
      });
      assert.ok(services.deletedFiles.includes(`outputs/${id}`));
      assert.deepEqual(await services.users.counters(user.id), { pending: 0, storedBytes: 0 });
    });

    for (const status of ["FAILED", "CANCELLED"] as const) {
      it(`accepts status ${status}`, async () => {
        const { id, version } = await states[status]();
        await services.queuedJobs.remove(user, id);
        assert.deepEqual(
          [
            services.published.at(-1)?.type,
            services.published.at(-1)?.queuedJob.version,
            services.published.at(-1)?.queuedJob.status,
          ],
          ["DELETED", version + 1, status],
        );
      });
    }

    for (const status of ["PENDING", "STARTED"] as const) {
      it(`is refused for status ${status}`, async () => {
        const { id } = await states[status]();
        const before_ = await services.everythingOf(user);
        assert.deepEqual(await refusalOf(services.queuedJobs.remove(user, id)), {
          code: "CONFLICT",
          message: `The QueuedJob is ${status}: cancel it before you delete it.`,
        });
        assert.deepEqual(await services.everythingOf(user), before_);
      });
    }

    it("removes only the version that was read, and never an unfinished QueuedJob", async () => {
      const { sql } = services.database;
      const [finished, waiting] = [await states.SUCCESS(), await states.PENDING()];
      const before_ = await services.everythingOf(user);
      for (const version of [finished.version - 1, finished.version + 1])
        assert.deepEqual(
          await removeFinished(sql, [{ id: finished.id, version }], { wait: true }),
          [],
        );
      assert.deepEqual(await removeFinished(sql, [waiting], { wait: true }), []);
      assert.deepEqual(await services.everythingOf(user), before_);
    });

    it("keeps the other events of the user", async () => {
      const [kept, gone] = [await states.SUCCESS(), await states.CANCELLED()];
      await services.queuedJobs.remove(user, gone.id);
      assert.deepEqual(
        (
          await services.database
            .sql`select seq::int from queued_job_events where queued_job_id = ${kept.id}
              order by seq`
        ).map((row) => row["seq"]),
        [1, 2, 3],
      );
    });

    it("happens once when ten requests come at once, and the others answer NOT_FOUND", async () => {
      const { id } = await states.SUCCESS();
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => outcomeOf(services.queuedJobs.remove(user, id))),
      );
      assert.deepEqual(outcomes.toSorted(), [
        ...Array.from({ length: 9 }, () => "NOT_FOUND"),
        "done",
      ]);
      assert.equal(
        services.published.filter(
          ({ type, queuedJob }) => type === "DELETED" && queuedJob.id === id,
        ).length,
        1,
      );
    });

    it("and to retry exclude each other", async () => {
      for (let i = 0; i < 10; i++) {
        const { id } = await states.CANCELLED();
        const [retried, removed] = await Promise.all([
          outcomeOf(services.queuedJobs.retry(user, id)),
          outcomeOf(services.queuedJobs.remove(user, id)),
        ]);
        assert.deepEqual(
          [retried, removed],
          retried === "done" ? ["done", "CONFLICT"] : ["NOT_FOUND", "done"],
        );
        if (retried === "done") await services.queuedJobs.cancel(user, id);
      }
    });
  });

  async function restart(id: string) {
    await services.queuedJobs.cancel(user, id);
    await services.queuedJobs.retry(user, id);
    return services.start({ id });
  }

  it("leaves consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});

describe("deleting while the storage is unavailable", () => {
  it("removes the rows in any case", async () => {
    const services = await createTestServices({
      deleteFiles: () => Promise.reject(new Error("the disk is gone")),
    });
    const user = await services.newUser();
    const { id } = await services.submit(user);
    await services.queuedJobs.succeed(await services.start({ id }), null, [output("a")]);
    await services.queuedJobs.remove(user, id);
    assert.equal(await services.queuedJobs.find(user, id), null);
    await services.close();
  });
});
