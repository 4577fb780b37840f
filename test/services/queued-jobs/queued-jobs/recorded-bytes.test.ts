// The data of a user in the database is limited. The statements that write parameters, results and
// events count them, and large values are stored only in the row.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Sql } from "postgres";
import { sqlState } from "../../../../src/db/database.js";
import { OVER_RECORDED } from "../../../../src/db/refusals.js";
import { toNewQueuedJob } from "../../../../src/services/queued-jobs/check-submission.js";
import { insertUnits } from "../../../../src/services/queued-jobs/insert.js";
import { retry } from "../../../../src/services/queued-jobs/bulk/retry-rows.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { submissionOf } from "../../../support/service/submission-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

const MAX = 200_000;
const REFUSAL = {
  code: "QUOTA_EXCEEDED",
  message:
    "Quota exceeded: at most 200000 bytes of jobs and events per user; delete finished jobs.",
  retryAfterMs: 60_000,
};
const FAULT = { code: "TASK_FAILED", message: "No.", permanent: true };
/** Random bytes, which PostgreSQL cannot compress. */
const LARGE = { message: randomBytes(45_000).toString("base64") };
/** Numbers that are short as JSON but long in the text of jsonb. */
const LONG_NUMBERS = { message: Array.from({ length: 100 }, () => 1e300) };

describe("recorded bytes", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices({ maxRecordedBytes: MAX });
  });
  beforeEach(async () => void (user = await services.newUser()));
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });

  async function recordedBytes(): Promise<number> {
    const [row] = await services.database.sql<{ n: number }[]>`
      select recorded_bytes::float8 as n from user_streams where user_id = ${user.id}`;
    return row?.n ?? Number.NaN;
  }
  const fill = (sql: Sql = services.database.sql) =>
    sql`update user_streams set recorded_bytes = ${MAX} where user_id = ${user.id}`;
  const recount = () => services.database.sql`
    update user_streams s set recorded_bytes =
      (select coalesce(sum(octet_length(parameters::text) + coalesce(octet_length(result::text),
      0)), 0)
        from queued_jobs where user_id = s.user_id)
      + (select coalesce(sum(bytes), 0) from queued_job_events where user_id = s.user_id)
      where user_id = ${user.id}`;
  const databaseBytes = async () =>
    (
      await services.database.sql<
        { n: number }[]
      >`select pg_database_size(current_database())::float8 as n`
    )[0]?.n ?? 0;

  it("are counted as JSON text in every step, and freed by the deletion", async () => {
    const [first] = await services.submitMany(user, [
      { parameters: LARGE },
      { parameters: LONG_NUMBERS },
      {},
    ]);
    assert.ok(first);
    await assertConsistent(services.database.sql, user.id);
    const failed = await services.start(first);
    await services.queuedJobs.fail(failed, { ...FAULT, permanent: false });
    await services.queuedJobs.cancelMany(user.id, { statuses: null, jobs: null });
    await services.queuedJobs.retry(user, first.id);
    await services.queuedJobs.succeed(await services.start(first), LARGE, []);
    await assertConsistent(services.database.sql, user.id);
    assert.ok((await recordedBytes()) > 150_000);
    await services.queuedJobs.removeMany(user.id, { statuses: null, jobs: null });
    await assertConsistent(services.database.sql, user.id);
    assert.ok((await recordedBytes()) < 10_000, "only the DELETED events remain");
  });

  it("refuse a submission without room, in a message that names the limit", async () => {
    for (let i = 0; i < 2; i++) await services.submit(user, { parameters: LARGE });
    const [before_, size] = [await services.everythingOf(user), await databaseBytes()];
    for (let i = 0; i < 30; i++) {
      assert.deepEqual(await refusalOf(services.submit(user, { parameters: LARGE })), REFUSAL);
      assert.deepEqual(
        await refusalOf(services.submitMany(user, [{}, { parameters: LARGE }])),
        REFUSAL,
      );
    }
    assert.deepEqual(await services.everythingOf(user), before_);
    assert.ok((await databaseBytes()) - size < 500_000, "refused submissions take no room");
    await services.submit(user, { parameters: { message: "small" } });
  });

  it("stay within the limit for any number of concurrent submissions", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () =>
        outcomeOf(services.submit(user, { parameters: { message: "x".repeat(20_000) } })),
      ),
    );
    const accepted = outcomes.filter((outcome) => outcome === "done").length;
    assert.ok(accepted >= 5 && accepted <= 9, `${accepted} were accepted`);
    assert.equal(outcomes.filter((outcome) => outcome === "QUOTA_EXCEEDED").length, 40 - accepted);
    assert.ok((await recordedBytes()) <= MAX);
  });

  it("without room for one user do not fail submissions of others in the batch", async () => {
    const { sql } = services.database;
    const other = await services.newUser();
    await fill();
    const unitOf = (someone: User) => {
      const submission = submissionOf({ parameters: { message: 1 } });
      return {
        userId: someone.id,
        requestId: "request",
        items: [toNewQueuedJob(submission, submission.parameters)],
      };
    };
    const units = [unitOf(user), unitOf(other), unitOf(other)];
    const made = await insertUnits(sql, units, { maxPending: 10, maxRecordedBytes: MAX });
    assert.deepEqual(
      made.map((steps) => steps?.length ?? null),
      [null, 1, 1],
    );
    await recount();
  });

  it("are checked again once the counter is locked", async () => {
    const { sql } = services.database;
    const [first] = await services.submitMany(user, [{}]);
    assert.ok(first);
    await services.queuedJobs.cancel(user, first.id);
    const limits = { maxPending: 10, maxRecordedBytes: MAX };
    const unit = (count: number) => ({
      userId: user.id,
      requestId: "request",
      items: Array.from({ length: count }, () => toNewQueuedJob(submissionOf(), {})),
    });
    const before_ = await recordedBytes();
    for (const write of [
      () => services.submit(user),
      () => insertUnits(sql, [unit(2)], limits),
      () => retry(sql, { id: first.id, ...limits }),
    ]) {
      let writing: Promise<unknown> = Promise.resolve();
      await sql.begin(async (tx) => {
        await fill(tx as unknown as Sql);
        writing = write().then(
          () => "done",
          (error) =>
            sqlState(error) === OVER_RECORDED ? "QUOTA_EXCEEDED" : outcomeOf(Promise.reject(error)),
        );
        await waitsForLock(sql);
      });
      assert.equal(await writing, "QUOTA_EXCEEDED");
      await recount();
    }
    assert.equal(await recordedBytes(), before_);
  });

  it("refuse a retry without room, without a trace, and allow it when there is room", async () => {
    const { id } = await services.submit(user);
    await services.queuedJobs.cancel(user, id);
    await fill();
    const before_ = await services.everythingOf(user);
    assert.deepEqual(await refusalOf(services.queuedJobs.retry(user, id)), REFUSAL);
    assert.deepEqual(await services.everythingOf(user), before_);
    await recount();
    assert.equal((await services.queuedJobs.retry(user, id)).status, "PENDING");
  });

  it("never block a claim, failure, cancellation or small result", async () => {
    const [failing, cancelled, succeeding] = await services.submitMany(user, [{}, {}, {}]);
    assert.ok(failing && cancelled && succeeding);
    await fill();
    assert.equal(await services.queuedJobs.fail(await services.start(failing), FAULT), "FAILED");
    assert.equal((await services.queuedJobs.cancel(user, cancelled.id)).status, "CANCELLED");
    assert.equal(
      await services.queuedJobs.succeed(
        await services.start(succeeding),
        { message: "x".repeat(8000) },
        [],
      ),
      true,
    );
    await recount();
  });

  it("refuse a large result without room, and the QueuedJob then fails", async () => {
    const { id } = await services.submit(user);
    const claimed = await services.start({ id });
    await fill();
    const before_ = await services.everythingOf(user);
    assert.deepEqual(
      await refusalOf(services.queuedJobs.succeed(claimed, { message: "x".repeat(9000) }, [])),
      REFUSAL,
    );
    assert.deepEqual(await services.everythingOf(user), before_);
    assert.equal(
      await services.queuedJobs.fail(claimed, { ...REFUSAL, permanent: true }),
      "FAILED",
    );
    await recount();
  });

  it("do not grow by the parameters when a QueuedJob is cancelled and retried", async () => {
    const { id } = await services.submit(user, { parameters: LARGE });
    const size = await databaseBytes();
    for (let i = 0; i < 60; i++) {
      await services.queuedJobs.cancel(user, id);
      await services.queuedJobs.retry(user, id);
    }
    assert.ok(
      (await databaseBytes()) - size < 1_000_000,
      `${(await databaseBytes()) - size} bytes`,
    );
  });
});

describe("large parameters and results", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
    user = await services.newUser();
  });
  after(() => services.close());
  const limit = (more: number) => ({
    message: "x".repeat(
      8192 -
        '{"steps": 0, "message": "", "durationMs": 0, "failAttempts": 0, "failPermanently": false}'
          .length +
        more,
    ),
  });

  it("are omitted from events above 8 kB of JSON text, and included up to that", async () => {
    for (const [more, present] of [
      [0, true],
      [1, false],
    ] as const) {
      const queuedJob = await services.submit(user, { parameters: limit(more) });
      await services.queuedJobs.progress(await services.start(queuedJob), 0.5, null);
      await services.queuedJobs.cancel(user, queuedJob.id);
      const events = services.published.filter(({ queuedJob: { id } }) => id === queuedJob.id);
      assert.deepEqual(
        events.map(({ type }) => type),
        ["QUEUED", "STARTED", "PROGRESS", "CANCELLED"],
      );
      for (const { type, queuedJob: snapshot } of events)
        assert.equal("parameters" in snapshot, present, `${type} with ${more} more`);
    }
  });

  it("are part of the claim of the worker and of the answers to its owner", async () => {
    const parameters = {
      steps: 0,
      durationMs: 0,
      failAttempts: 0,
      failPermanently: false,
      ...limit(1),
    };
    const submitted = await services.submit(user, { parameters });
    const claimed = await services.start(submitted);
    const cancelled = await services.queuedJobs.cancel(user, submitted.id);
    const again = await services.queuedJobs.retry(user, submitted.id);
    for (const seen of [submitted, claimed.queuedJob, cancelled, again])
      assert.deepEqual([seen.parameters, seen.result], [parameters, null]);
    const many = await services.submitMany(user, [{ parameters }, {}]);
    const claims = await Promise.all(many.map((one) => services.start(one)));
    assert.deepEqual(
      [many, claims.map(({ queuedJob }) => queuedJob)].map((list) => list[0]?.parameters),
      [parameters, parameters],
    );
  });

  it("are stored in the row of a success, and not in its event", async () => {
    const { id } = await services.submit(user);
    const result = { message: "x".repeat(9000) };
    await services.queuedJobs.succeed(await services.start({ id }), result, []);
    const last = services.published.at(-1);
    assert.deepEqual(
      [last?.type, last && "result" in last.queuedJob, last && "parameters" in last.queuedJob],
      ["SUCCEEDED", false, true],
    );
    assert.deepEqual((await services.queuedJobs.find(user, id))?.result, result);
  });
});
