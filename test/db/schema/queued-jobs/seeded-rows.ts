import type { Sql } from "postgres";
import { createDatabase, type Database } from "../../../../src/db/database.js";
import type { User } from "../../../../src/services/users/users.js";
import { eventually } from "../../../support/runner/eventually.js";
import { createTestServices } from "../../../support/service/test-services.js";

export const ROWS = 20_000;
export const TABLES = [
  "queued_jobs",
  "queued_job_events",
  "queued_job_photos",
  "photos",
  "user_streams",
  "users",
];

/** One user with thousands of rows, one with few, and one with newer rows. */
interface People {
  busy: User;
  person: User;
  late: User;
}

export interface SeededRows extends People {
  /** A database of one connection, so that its statistics are complete at once. */
  database: Database;
  /** Returns the sequential scans of each table and the rows read from the tables by `work`. */
  touched(
    work: (database: Database) => Promise<unknown>,
  ): Promise<{ scans: Record<string, number>; rows: number }>;
  close(): Promise<void>;
}

export async function createSeededRows(): Promise<SeededRows> {
  const services = await createTestServices();
  const single = createDatabase({ url: services.url, connections: 1, applicationName: "test" });
  const [busy, person, late] = [
    await services.newUser(),
    await services.newUser(),
    await services.newUser(),
  ];
  await seed(services.database.sql, { busy, person, late });
  // The statistics of these connections are complete when they have ended.
  await services.database.close();
  await eventually(
    "there is no other connection",
    async () =>
      (
        await single.sql`select from pg_stat_activity where datname = current_database()
          and backend_type = 'client backend' and pid <> pg_backend_pid()`
      ).length === 0,
  );

  return {
    busy,
    person,
    late,
    database: single,
    async touched(work) {
      const before = await readStatistics(single.sql);
      await work(single);
      const after = await readStatistics(single.sql);
      return {
        scans: Object.fromEntries(
          TABLES.map((table) => [
            table,
            (after.get(table)?.scans ?? 0) - (before.get(table)?.scans ?? 0),
          ]),
        ),
        rows: sum(after) - sum(before),
      };
    },
    async close() {
      await single.close();
      await services.close();
    },
  };
}

/**
 * Seeds finished rows of a busy user, 10 of them failed or cancelled. A person has 40 rows: 10 due,
 * 10 lapsed, 10 expired, 10 done. A late user has newer rows.
 */
async function seed(sql: Sql, { busy, person, late }: People): Promise<void> {
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
    busy.id,
    5,
    "finished_at, error_code, expires_at",
    "'FAILED', now(), 'X', now() + interval '1 day'",
  );
  await insert(
    busy.id,
    5,
    "finished_at, expires_at",
    "'CANCELLED', now(), now() + interval '1 day'",
  );
  await insert(busy.id, ROWS - 50, done, "'SUCCESS', now(), 1, now() + interval '1 day'");
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
    sha256, storage_key, created_at) select gen_random_uuid(), ${busy.id}, 'a', 'image/png', 1,
    1, 0, i::text, 'k', now() from generate_series(1, 5000) i`;
  await sql`insert into queued_job_photos select q.id, 0, p.id
    from (select id, row_number() over (order by id) as n from queued_jobs) q
      join (select id, row_number() over (order by id) as n from photos) p using (n)`;
  await sql`update queued_jobs set photo_count = 1, reuse_key = id::text
    where status = 'SUCCESS'`;
  await sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
    created_at) select gen_random_uuid(), 'busy', i, 'Person' || i || '@example.test', true, 'n',
    0, now() from generate_series(1, 5000) i`;
  await sql`vacuum analyze`;
}

async function readStatistics(sql: Sql): Promise<Map<string, { scans: number; rows: number }>> {
  await sql`select pg_stat_force_next_flush()`;
  const rows = await sql<{ table: string; scans: number; rows: number }[]>`
    select "table", sum(seq_scan)::int as scans,
      sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
    from pg_stat_user_tables, regexp_replace(relname, '^(queued_job_events)_.*', '\\1') as "table"
    where "table" = any(${TABLES}) group by 1`;
  return new Map(rows.map((row) => [row.table, row]));
}
const sum = (statistics: Map<string, { rows: number }>) =>
  [...statistics.values()].reduce((total, { rows }) => total + rows, 0);
