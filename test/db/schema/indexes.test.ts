// The real statements on a table of 20,000 rows: each finds its rows by an index, and touches about
// as many as it gives.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Sql } from "postgres";
import { createDatabase, type Database } from "../../../src/db/database.js";
import { createAccounts, type AccountsDeps } from "../../../src/services/users/accounts.js";
import { createBacklogReads } from "../../../src/services/reads/backlog.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import { FIRST_ID } from "../../../src/services/reads/ids.js";
import { createQueuedJobReads } from "../../../src/services/reads/queued-job-reads.js";
import { searchQueuedJobs } from "../../../src/services/reads/queued-job-search.js";
import { recordProgress } from "../../../src/services/queued-jobs/attempt.js";
import { claimMany } from "../../../src/services/queued-jobs/claim.js";
import { backlogsOf } from "../../../src/services/queued-jobs/dispatch.js";
import { findDue, findLapsed } from "../../../src/services/queued-jobs/maintenance.js";
import { cancelMany, findOldest } from "../../../src/services/queued-jobs/owner-steps.js";
import { findExpired } from "../../../src/services/queued-jobs/remove.js";
import { findEarlierResult, succeedMany } from "../../../src/services/queued-jobs/success.js";
import type { QueuedJobStatus } from "../../../src/domain/queued-job-status.js";
import type { User } from "../../../src/services/users/users.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestWaist, type TestWaist } from "../../support/service/test-waist.js";

const ROWS = 20_000;
const TABLES = [
  "queued_jobs",
  "queued_job_events",
  "queued_job_photos",
  "photos",
  "user_streams",
  "users",
];

describe(`on ${ROWS} rows`, () => {
  let waist: TestWaist;
  /** One connection: what it has touched can be asked for at once. */
  let single: Database;
  let crowd: User;
  let person: User;
  let late: User;
  before(async () => {
    waist = await createTestWaist();
    single = createDatabase({ url: waist.url, connections: 1, applicationName: "test" });
    [crowd, person, late] = [await waist.newUser(), await waist.newUser(), await waist.newUser()];
    await seed();
    // What its connections did is counted when they end, at the latest.
    await waist.database.close();
    await eventually(
      "nobody else is connected",
      async () =>
        (
          await single.sql`select from pg_stat_activity where datname = current_database()
            and backend_type = 'client backend' and pid <> pg_backend_pid()`
        ).length === 0,
    );
  });
  after(async () => {
    await single.close();
    await waist.close();
  });

  /**
   * Finished ones of a user with thousands, 10 of them without success, 40 of a person with few: 10
   * due, 10 lapsed, 10 expired, 10 done; and newer ones of another.
   */
  async function seed(): Promise<void> {
    const { sql } = waist.database;
    const insert = (userId: string, count: number, columns: string, values: string) =>
      sql.unsafe(`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, idempotency_key, fingerprint, status, ${columns})
      select ('0190' || lpad(to_hex(i), 28, '0'))::uuid, '${userId}', 'echo', '{}', 0, 0, 'seed',
        now() - interval '1 hour', now(), now() - interval '1 hour', '${columns}' || i, 'f',
        ${values}
      from generate_series((select count(*) from queued_jobs), (select count(*)
        from queued_jobs) + ${count} - 1) i`);
    const done = "finished_at, progress, expires_at";
    await insert(
      crowd.id,
      5,
      "finished_at, error_code, expires_at",
      "'FAILED', now(), 'X', now() + interval '1 day'",
    );
    await insert(
      crowd.id,
      5,
      "finished_at, expires_at",
      "'CANCELLED', now(), now() + interval '1 day'",
    );
    await insert(crowd.id, ROWS - 50, done, "'SUCCESS', now(), 1, now() + interval '1 day'");
    await insert(person.id, 10, "lease_until", "'PENDING', null");
    await insert(person.id, 10, "lease_until", "'STARTED', now() - interval '1 minute'");
    await insert(person.id, 10, done, "'SUCCESS', now(), 1, now() - interval '1 minute'");
    await insert(person.id, 10, done, "'SUCCESS', now(), 1, now() + interval '1 day'");
    await insert(late.id, 5000, done, "'SUCCESS', now(), 1, now() + interval '1 day'");
    await sql`insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select user_id, row_number() over (partition by user_id
        order by id), id, 'QUEUED', now(), '{}' from queued_jobs`;
    await sql`update user_streams s set last_seq = (select count(*) from queued_jobs q
      where q.user_id = s.user_id), pending = (select count(*) from queued_jobs q
        where q.user_id = s.user_id and status in ('PENDING', 'STARTED'))`;
    await sql`insert into photos (id, user_id, filename, mime_type, width, height, byte_size,
      sha256, storage_key, created_at) select gen_random_uuid(), ${crowd.id}, 'a', 'image/png', 1,
      1, 0, i::text, 'k', now() from generate_series(1, 5000) i`;
    await sql`insert into queued_job_photos select q.id, 0, p.id
      from (select id, row_number() over (order by id) as n from queued_jobs) q
        join (select id, row_number() over (order by id) as n from photos) p using (n)`;
    await sql`update queued_jobs set photo_count = 1, reuse_key = id::text
      where status = 'SUCCESS'`;
    await sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at) select gen_random_uuid(), 'crowd', i, 'Person' || i || '@example.test', true, 'n',
      0, now() from generate_series(1, 5000) i`;
    await sql`vacuum analyze`;
  }

  /** Sequential scans of each table, and rows that were read from the tables, by `work`. */
  async function touched(
    work: (database: Database) => Promise<unknown>,
  ): Promise<{ scans: Record<string, number>; rows: number }> {
    const before_ = await readStatistics();
    await work(single);
    const after_ = await readStatistics();
    return {
      scans: Object.fromEntries(
        TABLES.map((table) => [
          table,
          (after_.get(table)?.scans ?? 0) - (before_.get(table)?.scans ?? 0),
        ]),
      ),
      rows: sum(after_) - sum(before_),
    };
  }

  async function readStatistics(): Promise<Map<string, { scans: number; rows: number }>> {
    await single.sql`select pg_stat_force_next_flush()`;
    const rows = await single.sql<{ table: string; scans: number; rows: number }[]>`
      select relname as table, seq_scan::int as scans, (seq_tup_read + coalesce(idx_tup_fetch,
        0))::int as rows from pg_stat_user_tables where relname = any(${TABLES})`;
    return new Map(rows.map((row) => [row.table, row]));
  }
  const sum = (statistics: Map<string, { rows: number }>) =>
    [...statistics.values()].reduce((total, { rows }) => total + rows, 0);

  const all = { statuses: null, jobs: null };
  const cases: [what: string, most: number, work: (database: Database) => Promise<unknown>][] = [
    [
      "a page of a user with thousands",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: crowd.id, photoId: null, filter: all },
          { readerId: crowd.id, first: 50, beforeId: null },
        ),
    ],
    [
      "a page of theirs in a list",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: crowd.id, photoId: null, filter: all },
          { readerId: crowd.id, first: 50, beforeId: null, columns: "brief" },
        ),
    ],
    ["the few that failed of theirs", 100, (database) => pageIn(database, ["FAILED"], 5)],
    [
      "the few without success of theirs",
      100,
      (database) => pageIn(database, ["FAILED", "CANCELLED"], 10),
    ],
    [
      "the few unfinished of theirs, which are none",
      100,
      (database) => pageIn(database, ["PENDING", "STARTED"], 0),
    ],
    ["those with success of theirs", 160, (database) => pageIn(database, ["SUCCESS"], 50)],
    [
      "a late page of theirs",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: crowd.id, photoId: null, filter: all },
          { readerId: crowd.id, first: 50, beforeId: "01900000-0000-0000-0000-000000000200" },
        ),
    ],
    [
      "a page of a user with few",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: person.id, photoId: null, filter: all },
          { readerId: person.id, first: 50, beforeId: null },
        ),
    ],
    [
      "a page of everybody's",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: null, photoId: null, filter: all },
          { readerId: person.id, first: 50, beforeId: null },
        ),
    ],
    ["the page of a photo", 20, (database) => pageOfPhoto(database)],
    [
      "a count of a user with few",
      100,
      (database) =>
        createQueuedJobReads(database).count(
          { userId: person.id, photoId: null, filter: all },
          10_000,
        ),
    ],
    [
      "the rows that are due",
      100,
      ({ sql }) =>
        findDue(sql, { after: { dueAt: "-infinity", id: FIRST_ID }, limit: 1000, aheadMs: 60_000 }),
    ],
    ["the leases that lapsed", 20, ({ sql }) => findLapsed(sql, 1000)],
    ["the backlog", 100, (database) => createBacklogReads(database).read()],
    [
      "what has waited for long",
      30,
      (database) => createBacklogReads(database).hasWaited(["thumbnail"], 60),
    ],
    ["what has expired", 20, ({ sql }) => findExpired(sql, { limit: 1000, except: [] })],
    [
      "what a user has unfinished",
      50,
      ({ sql }) =>
        findOldest(sql, {
          userId: person.id,
          filter: all,
          statuses: ["PENDING", "STARTED"],
          limit: 1000,
        }),
    ],
    [
      "the events behind a number",
      30,
      (database) =>
        createEventLog(database).read({
          userId: crowd.id,
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
      "a QueuedJob at present",
      10,
      (database) =>
        createEventLog(database).present(crowd.id, "01900000-0000-0000-0000-000000000200"),
    ],
    [
      "an earlier result of a user with thousands",
      20,
      ({ sql }) =>
        findEarlierResult(sql, { id: "01900000-0000-0000-0000-000000000200", version: 1 }),
    ],
    [
      "the account of an e-mail, in whatever case",
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
      "the QueuedJobs of whoever has an e-mail",
      10,
      async (database) =>
        assert.deepEqual(
          (
            await searchQueuedJobs(database, {
              user: "person4711@EXAMPLE.test",
              status: null,
              jobName: null,
              beforeId: null,
              first: 50,
            })
          ).rows,
          [],
        ),
    ],
    [
      "a key of a user with thousands",
      10,
      ({ sql }) =>
        sql`select from queued_jobs where user_id = ${crowd.id}
          and idempotency_key = any(${["finished_at, progress, expires_at7"]})`,
    ],
    [
      "what stands before each of many",
      60,
      async ({ sql }) =>
        assert.deepEqual(
          await backlogsOf(sql, [
            { userId: person.id, priority: 0 },
            { userId: crowd.id, priority: 0 },
          ]),
          [20, 0],
        ),
    ],
    [
      "many that are claimed",
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
      "many that make progress",
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
      "many that succeed",
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
      "many that are cancelled",
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
    findOldest(sql, { userId: person.id, filter: all, statuses: [status], limit: 10 });
  const count = (made: unknown[]) => made.filter((one) => one !== null).length;
  /** A page and a count. */
  async function pageIn(
    database: Database,
    statuses: QueuedJobStatus[],
    found: number,
  ): Promise<void> {
    const [scope, reads] = [
      { userId: crowd.id, photoId: null, filter: { statuses, jobs: null } },
      createQueuedJobReads(database),
    ];
    const { rows } = await reads.page(scope, {
      readerId: crowd.id,
      first: 50,
      beforeId: null,
      columns: "state",
    });
    assert.deepEqual([rows.length, await reads.count(scope, 50)], [found, found]);
  }
  async function pageOfPhoto(database: Database): Promise<unknown> {
    const [photo] = await database.sql<
      { id: string }[]
    >`select photo_id as id from queued_job_photos
      where queued_job_id = '01900000-0000-0000-0000-000000000200'`;
    const { rows } = await createQueuedJobReads(database).page(
      { userId: crowd.id, photoId: photo?.id ?? "", filter: all },
      { readerId: crowd.id, first: 50, beforeId: null },
    );
    return assert.equal(rows.length, 1);
  }
  for (const [what, most, work] of cases) {
    it(`finds ${what} by an index`, async () => {
      const { scans, rows } = await touched(work);
      assert.deepEqual(
        { ...scans, user_streams: 0 },
        Object.fromEntries(TABLES.map((table) => [table, 0])),
        "no table is read from end to end",
      );
      assert.ok(rows <= most, `${rows} rows were read`);
    });
  }

  it("reads none of the rows that are due later when it looks for those that are due", async () => {
    await single.sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${crowd.id}, 'echo', '{}', 0, 0, 'seed', now() + interval '1 day',
        now(), now(), 'PENDING' from generate_series(1, 1000)`;
    const after_ = { dueAt: "-infinity", id: FIRST_ID };
    const { rows } = await touched(({ sql }) =>
      findDue(sql, { after: after_, limit: 1000, aheadMs: 60_000 }),
    );
    assert.ok(rows <= 100, `${rows} rows were read`);
  });

  it("would notice a table that is read from end to end", async () => {
    const { scans, rows } = await touched(
      ({ sql }) => sql`select count(*) from queued_jobs where request_id = 'seed'`,
    );
    assert.deepEqual([scans["queued_jobs"], rows >= ROWS], [1, true]);
  });
});
