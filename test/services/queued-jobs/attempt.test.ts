import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Claimed } from "../../../src/services/queued-jobs/claim.js";
import type { StoredOutput } from "../../../src/domain/queued-job.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const FAULT = { code: "TASK_FAILED", message: "No.", permanent: false };
const output = (name: string, more: Partial<StoredOutput> = {}): StoredOutput => ({
  name,
  mimeType: "image/webp",
  byteSize: 100,
  width: 3,
  height: 2,
  storageKey: `outputs/${name}`,
  ...more,
});

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

  it("does not show the failure of the attempt before it, which RETRYING has shown", async () => {
    const { id } = await services.submit(user);
    await services.queuedJobs.fail(await services.start({ id }), FAULT);
    assert.deepEqual(lastPublished()?.queuedJob.error, { code: "TASK_FAILED", message: "No." });
    await makeDue(id);
    const { queuedJob } = await services.start({ id });
    assert.deepEqual(
      [lastPublished()?.type, lastPublished()?.queuedJob.error, queuedJob.error],
      ["STARTED", null, null],
    );
    assert.equal((await services.queuedJobs.find(user, id))?.error, null);
  });

  const finishes: [how: string, finish: (claimed: Claimed) => Promise<unknown>][] = [
    ["succeeds", (claimed) => services.queuedJobs.succeed(claimed, null, [])],
    [
      "succeeds with outputs",
      (claimed) => services.queuedJobs.succeed(claimed, null, [output(claimed.id)]),
    ],
    ["fails", (claimed) => services.queuedJobs.fail(claimed, { ...FAULT, permanent: true })],
    ["is cancelled", ({ id }) => services.queuedJobs.cancel(user, id)],
    [
      "is cancelled with others",
      () => services.queuedJobs.cancelMany(user.id, { statuses: null, jobs: null }),
    ],
  ];
  for (const [how, finish] of finishes) {
    it(`loses its progress message when it ${how}`, async () => {
      const claimed = await services.start(await services.submit(user));
      await services.queuedJobs.progress(claimed, 0.5, "decoding");
      await finish(claimed);
      assert.equal(lastPublished()?.queuedJob.progressMessage, null);
      assert.equal((await services.queuedJobs.find(user, claimed.id))?.progressMessage, null);
    });
  }

  describe("that fails", () => {
    it("returns to PENDING with its error, due after a pause, with a new hint", async () => {
      const { id } = await services.submit(user);
      assert.equal(await services.queuedJobs.fail(await services.start({ id }), FAULT), "RETRYING");
      const row = await services.row(id);
      assert.deepEqual(
        [row.status, row.run, row.failures, row.lease, row.version],
        ["PENDING", 2, 1, null, 3],
      );
      assert.ok(row.pause >= 0.499 && row.pause <= 1.1, String(row.pause));
      assert.deepEqual(
        [lastPublished()?.type, lastPublished()?.queuedJob.error, lastPublished()?.queuedJob.runAt],
        ["RETRYING", { code: "TASK_FAILED", message: "No." }, null],
      );
      const hint = services.hinted.at(-1);
      assert.ok(
        hint && hint.id === id && hint.run === 2 && hint.delayMs >= 500 && hint.delayMs <= 1000,
        JSON.stringify(hint),
      );
    });

    it("is FAILED when it was the last of the Job's attempts", async () => {
      const { id } = await services.submit(user);
      const outcomes: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        await makeDue(id);
        outcomes.push(
          await services.queuedJobs.fail(await services.start({ id }), {
            ...FAULT,
            message: `Failure ${i + 1}.`,
          }),
        );
      }
      assert.deepEqual(outcomes, ["RETRYING", "RETRYING", "FAILED"]);
      const queuedJob = await services.queuedJobs.find(user, id);
      assert.deepEqual(
        [queuedJob?.status, queuedJob?.error, queuedJob?.attempts, queuedJob?.version],
        ["FAILED", { code: "TASK_FAILED", message: "Failure 3." }, 3, 7],
      );
      assert.ok(queuedJob?.finishedAt && queuedJob.expiresAt);
      assert.deepEqual(await services.users.counters(user.id), { pending: 0, storedBytes: 0 });
    });

    it("is FAILED at once after a permanent fault", async () => {
      const { id } = await services.submit(user);
      assert.equal(
        await services.queuedJobs.fail(await services.start({ id }), {
          code: "PHOTO_UNREADABLE",
          message: "Broken.",
          permanent: true,
        }),
        "FAILED",
      );
      assert.deepEqual((await services.queuedJobs.find(user, id))?.error, {
        code: "PHOTO_UNREADABLE",
        message: "Broken.",
      });
    });

    it("is not counted when its worker hands it back", async () => {
      const { id } = await services.submit(user);
      for (let i = 0; i < 5; i++)
        await services.queuedJobs.handBack(await services.start({ id }), 0);
      const row = await services.row(id);
      assert.deepEqual(
        [row.status, row.attempts, row.failures, row.stalls, row.run],
        ["PENDING", 5, 0, 0, 6],
      );
      assert.deepEqual(
        [lastPublished()?.type, lastPublished()?.queuedJob.error],
        ["RETRYING", null],
      );
      assert.equal(services.hinted.at(-1)?.delayMs, 0);
    });

    it("is due again after the pause that its worker requests", async () => {
      const { id } = await services.submit(user);
      await services.queuedJobs.handBack(await services.start({ id }), 60_000);
      assert.equal(Math.round((await services.row(id)).pause), 60);
      assert.deepEqual(
        [
          services.hinted.at(-1)?.delayMs,
          await services.queuedJobs.start({ id, run: 2, worker: "early" }),
        ],
        [60_000, null],
      );
    });
  });

  describe("under way", () => {
    it("publishes its progress without a new version or sequence number", async () => {
      const claimed = await services.start(await services.submit(user));
      assert.equal(await services.queuedJobs.progress(claimed, 0.25, "one of four"), true);
      const [event, queuedJob] = [
        lastPublished(),
        await services.queuedJobs.find(user, claimed.id),
      ];
      assert.deepEqual(
        [event?.type, event?.seq, event?.queuedJob],
        ["PROGRESS", claimed.startedSeq, queuedJob],
      );
      assert.deepEqual(
        [queuedJob?.progress, queuedJob?.progressMessage, queuedJob?.version],
        [0.25, "one of four", 2],
      );
    });

    it("never publishes less progress than before", async () => {
      const claimed = await services.start(await services.submit(user));
      for (const progress of [0.5, 0.2])
        await services.queuedJobs.progress(claimed, progress, null);
      assert.deepEqual(
        [(await services.row(claimed.id)).progress, lastPublished()?.queuedJob.progress],
        [0.5, 0.5],
      );
    });

    it("restarts at 0 in the next attempt", async () => {
      const claimed = await services.start(await services.submit(user));
      await services.queuedJobs.progress(claimed, 0.9, "almost");
      await services.queuedJobs.handBack(claimed, 0);
      assert.equal((await services.row(claimed.id)).progress, 0.9);
      const { queuedJob } = await services.start(claimed);
      assert.deepEqual([queuedJob.progress, queuedJob.progressMessage], [0, null]);
    });
  });

  describe("that is over", () => {
    const ends: [how: string, end: (claimed: Claimed) => Promise<unknown>][] = [
      ["was cancelled", ({ id }) => services.queuedJobs.cancel(user, id)],
      [
        "succeeded already",
        (claimed) => services.queuedJobs.succeed(claimed, "first", [output(`${claimed.id}`)]),
      ],
      [
        "failed already",
        (claimed) => services.queuedJobs.fail(claimed, { ...FAULT, permanent: true }),
      ],
      ["waits for another attempt", (claimed) => services.queuedJobs.fail(claimed, FAULT)],
      [
        "runs again on another worker",
        async (claimed) => {
          await services.queuedJobs.handBack(claimed, 0);
          await services.start(claimed, "another worker");
        },
      ],
      [
        "was cancelled, retried and runs on another worker",
        async (claimed) => {
          await services.queuedJobs.cancel(user, claimed.id);
          await services.queuedJobs.retry(user, claimed.id);
          await services.start(claimed, "another worker");
        },
      ],
      [
        "was deleted",
        async (claimed) => {
          await services.queuedJobs.cancel(user, claimed.id);
          await services.queuedJobs.remove(user, claimed.id);
        },
      ],
    ];
    for (const [how, end] of ends) {
      it(`records nothing and publishes nothing when it ${how}`, async () => {
        const claimed = await services.start(await services.submit(user));
        await end(claimed);
        const [before_, eventCount, hints] = [
          await services.everythingOf(user),
          services.published.length,
          services.hinted.length,
        ];
        assert.equal(await services.queuedJobs.progress(claimed, 0.99, "late"), false);
        assert.equal(await services.queuedJobs.succeed(claimed, "late", [output("late")]), false);
        assert.equal(await services.queuedJobs.fail(claimed, FAULT), null);
        assert.equal(await services.queuedJobs.fail(claimed, { ...FAULT, permanent: true }), null);
        await services.queuedJobs.handBack(claimed, 0);
        const renewed = await services.queuedJobs.renewLeases("worker", [claimed]);
        assert.deepEqual(renewed, new Set());
        assert.deepEqual(await services.everythingOf(user), before_);
        assert.deepEqual([services.published.length, services.hinted.length], [eventCount, hints]);
      });
    }

    it("is either cancelled or complete, and published as such, when both happen", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const claimed = await services.start(await services.submit(user));
          const [succeeded, cancelled] = await Promise.all([
            services.queuedJobs.succeed(claimed, 1, [output(claimed.id)]),
            services.queuedJobs.cancel(user, claimed.id).then(
              () => true,
              () => false,
            ),
          ]);
          const queuedJob = await services.queuedJobs.find(user, claimed.id);
          assert.equal(succeeded, !cancelled);
          assert.deepEqual(
            [queuedJob?.status, queuedJob?.result, queuedJob?.outputs?.length],
            succeeded ? ["SUCCESS", 1, 1] : ["CANCELLED", null, 0],
          );
          return succeeded;
        }),
      );
      assert.equal(outcomes.length, 20);
    });
  });

  it("leaves consistent counters, numbers and events after every outcome", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
