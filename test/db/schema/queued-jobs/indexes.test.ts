// Runs the real statements on a table of 20,000 rows. Each finds its rows by an index and reads
// about as many as it returns.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Sql } from "postgres";
import { createAccounts, type AccountsDeps } from "../../../../src/services/users/accounts.js";
import { createBacklogReads } from "../../../../src/services/reads/backlog.js";
import { createEventLog } from "../../../../src/services/reads/event-log.js";
import { FIRST_ID } from "../../../../src/services/reads/ids.js";
import { createQueuedJobReads } from "../../../../src/services/reads/queued-job-reads.js";
import {
  ANY_JOB,
  findUserIds,
  searchQueuedJobs,
} from "../../../../src/services/reads/operator-search.js";
import { recordProgress } from "../../../../src/services/queued-jobs/attempt.js";
import { claimMany } from "../../../../src/services/queued-jobs/claim.js";
import { backlogsOf } from "../../../../src/services/queued-jobs/dispatch.js";
import { findDue } from "../../../../src/services/queued-jobs/maintenance.js";
import { findLapsed } from "../../../../src/services/queued-jobs/maintenance/take-over.js";
import { cancelMany, findOldest } from "../../../../src/services/queued-jobs/bulk/owner-bulk.js";
import { findExpired } from "../../../../src/services/queued-jobs/remove.js";
import { findEarlierResult, succeedMany } from "../../../../src/services/queued-jobs/success.js";
import type { QueuedJobStatus } from "../../../../src/domain/queued-job-status.js";
import { listCases, type IndexCase } from "./list-cases.js";
import { createSeededRows, ROWS, TABLES, type SeededRows } from "./seeded-rows.js";

const START = { dueAt: "-infinity", id: FIRST_ID };
const ALL_DUE = { after: START, sinceMs: null, limit: 1000, aheadMs: 60_000 };
const RECENTLY_DUE = { ...ALL_DUE, sinceMs: 100 };

describe(`on ${ROWS} rows`, () => {
  let rows: SeededRows;
  before(async () => {
    rows = await createSeededRows();
  });
  after(() => rows.close());

  const all = { statuses: null, jobs: null };
  const cases: IndexCase[] = [
    ...listCases(() => rows),
    ["the rows that are due", 100, ({ sql }) => findDue(sql, ALL_DUE)],
    ["the rows that became due recently", 20, ({ sql }) => findDue(sql, RECENTLY_DUE)],
    ["the lapsed leases", 40, ({ sql }) => findLapsed(sql, 1000)],
    ["the backlog", 100, (database) => createBacklogReads(database).read()],
    [
      "the oldest waiting rows",
      30,
      (database) => createBacklogReads(database).hasWaited(["thumbnail"], 60),
    ],
    ["the expired rows", 20, ({ sql }) => findExpired(sql, { limit: 1000, except: [] })],
    [
      "a user's unfinished rows",
      50,
      ({ sql }) =>
        findOldest(sql, {
          userId: rows.person.id,
          filter: all,
          statuses: ["PENDING", "STARTED"],
          limit: 1000,
        }),
    ],
    [
      "the events after a number",
      30,
      (database) =>
        createEventLog(database).read({
          userId: rows.busy.id,
          seq: 15_000,
          limit: 20,
          queuedJobId: null,
        }),
    ],
    [
      "the events of one QueuedJob",
      30,
      (database) =>
        createQueuedJobReads(database).histories(["01900000-0000-0000-0000-000000000200"]),
    ],
    [
      "the current state of a QueuedJob",
      10,
      (database) =>
        createEventLog(database).present(rows.busy.id, "01900000-0000-0000-0000-000000000200"),
    ],
    [
      "an earlier result of a user with thousands of rows",
      20,
      ({ sql }) =>
        findEarlierResult(sql, { id: "01900000-0000-0000-0000-000000000200", version: 1 }),
    ],
    [
      "the account of an e-mail in any case",
      5,
      async (database) =>
        assert.equal(
          (
            await createAccounts({ database } as AccountsDeps).find({
              email: "PERSON4711@example.test",
            })
          ).length,
          1,
        ),
    ],
    [
      "the QueuedJobs of the user with an e-mail",
      10,
      async (database) =>
        assert.deepEqual(
          (
            await searchQueuedJobs(database, {
              filter: {
                ...ANY_JOB,
                userIds: await findUserIds(database, "person4711@EXAMPLE.test"),
              },
              beforeId: null,
              first: 50,
            })
          ).rows,
          [],
        ),
    ],
    [
      "the failed rows of all users",
      60,
      (database) =>
        searchQueuedJobs(database, {
          filter: { ...ANY_JOB, status: "FAILED" },
          beforeId: null,
          first: 50,
        }),
    ],
    [
      "an idempotency key of a user with thousands of rows",
      10,
      ({ sql }) =>
        sql`select from queued_jobs where user_id = ${rows.busy.id}
          and idempotency_key = any(${["finished_at, progress, expires_at7"]})`,
    ],
    [
      "the backlog before each of many",
      60,
      async ({ sql }) =>
        assert.deepEqual(
          await backlogsOf(sql, [
            { userId: rows.person.id, priority: 0 },
            { userId: rows.busy.id, priority: 0 },
          ]),
          [20, 0],
        ),
    ],
    [
      "many claimed rows",
      100,
      async ({ sql }) =>
        assert.equal(
          count(
            await claimMany(
              sql,
              (await oldest(sql, "PENDING")).map(({ id }) => ({ id, run: 1, worker: "w" })),
              ["echo"],
            ),
          ),
          10,
        ),
    ],
    [
      "many rows with progress",
      100,
      async ({ sql }) =>
        assert.equal(
          count(
            await recordProgress(
              sql,
              (await oldest(sql, "STARTED")).map(({ id }) => ({
                id,
                attempt: 1,
                progress: 0.5,
                message: null,
              })),
            ),
          ),
          10,
        ),
    ],
    [
      "many succeeding rows",
      100,
      async ({ sql }) =>
        assert.equal(
          count(
            await succeedMany(
              sql,
              (await oldest(sql, "STARTED")).map(({ id }) => ({ id, attempt: 1, result: "null" })),
              60,
            ),
          ),
          10,
        ),
    ],
    [
      "many cancelled rows",
      100,
      async ({ sql }) =>
        assert.equal(
          count(
            await cancelMany(sql, {
              ids: (await oldest(sql, "STARTED")).map(({ id }) => id),
              ttlSeconds: 60,
            }),
          ),
          10,
        ),
    ],
  ];
  const oldest = (sql: Sql, status: QueuedJobStatus) =>
    findOldest(sql, { userId: rows.person.id, filter: all, statuses: [status], limit: 10 });
  const count = (results: unknown[]) => results.filter((one) => one !== null).length;
  for (const [what, maxRows, work] of cases) {
    it(`finds ${what} by an index`, async () => {
      const { scans, rows: read } = await rows.touched(work);
      assert.deepEqual(
        { ...scans, user_streams: 0 },
        Object.fromEntries(TABLES.map((table) => [table, 0])),
        "no table is scanned",
      );
      assert.ok(read <= maxRows, `${read} rows were read`);
    });
  }

  it("reads no rows that are due later when it looks for due rows", async () => {
    await rows.database.sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${rows.busy.id}, 'echo', '{}', 0, 0, 'seed',
        now() + interval '1 day', now(), now(), 'PENDING' from generate_series(1, 1000)`;
    const { rows: read } = await rows.touched(({ sql }) => findDue(sql, ALL_DUE));
    assert.ok(read <= 100, `${read} rows were read`);
  });

  it("detects a sequential scan of a table", async () => {
    const { scans, rows: read } = await rows.touched(
      ({ sql }) => sql`select count(*) from queued_jobs where request_id = 'seed'`,
    );
    assert.deepEqual([scans["queued_jobs"], read >= ROWS], [1, true]);
  });
});
