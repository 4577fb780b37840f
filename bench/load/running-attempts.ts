// Measures the write-ahead log that running attempts cause, renewals of leases and progress, and
// the search for lapsed leases.
//   node dist/bench/load/running-attempts.js [--attempts 500] [--workers 5]
import { parseArgs } from "node:util";
import type { Sql } from "postgres";
import { recordProgress } from "../../src/services/queued-jobs/attempt.js";
import { renewLeases } from "../../src/services/queued-jobs/claim/leases.js";
import { findLapsed } from "../../src/services/queued-jobs/maintenance/take-over.js";
import { withLoadDatabase } from "./load-database.js";

const { values } = parseArgs({
  options: {
    attempts: { type: "string", default: "500" },
    workers: { type: "string", default: "5" },
  },
});
const [ATTEMPTS, WORKERS] = [Number(values.attempts), Number(values.workers)];
const RENEW_SECONDS = 8;
const ROUNDS = 30;
const REPORTS_PER_STATEMENT = 25;
/** Finished rows of the same table, so that its indexes have a usual depth. */
const FINISHED = 100_000;
const say = (line: string) => process.stdout.write(`${line}\n`);

await withLoadDatabase(1, async ({ database, driver }) => {
  await fill(driver);
  await measure(database.sql);
});

async function fill(sql: Sql): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select md5('user' || i)::uuid, 'load', i, 'a@b.c', true, 'A', 0, now()
    from generate_series(0, 99) i`;
  await sql`insert into user_streams (user_id) select id from users`;
  await sql`
    insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
      due_at, created_at, updated_at, status, finished_at, expires_at, progress, result)
    select gen_random_uuid(), md5('user' || i % 100)::uuid, 'thumbnail',
      '{"width": 320, "height": 320, "fit": "inside", "format": "webp", "quality": 80}', 1, 0,
      gen_random_uuid(), now(), now(), now(), 'SUCCESS', now(), now() + interval '1 day', 1,
      '{"width": 320, "height": 213, "bytes": 20480}' from generate_series(1, ${FINISHED}) i`;
  await sql`
    insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
      due_at, created_at, updated_at, status, attempts, worker, lease_until, started_at)
    select gen_random_uuid(), md5('user' || i % 100)::uuid, 'thumbnail',
      '{"width": 320, "height": 320, "fit": "inside", "format": "webp", "quality": 80}', 1, 0,
      gen_random_uuid(), now(), now(), now(), 'STARTED', 1, 'host-0123456789:1234:' ||
      i % ${WORKERS}, now() + interval '10 minutes', now() from generate_series(1, ${ATTEMPTS}) i`;
  await sql`vacuum analyze`;
}

interface Written {
  bytes: number;
  pages: number;
  updates: number;
  hot: number;
}

/** Reads what was written since the start of the server. */
async function readWritten(sql: Sql): Promise<Written> {
  await sql`select pg_stat_force_next_flush()`;
  const [written] = await sql<Written[]>`
    select wal_bytes::float8 as bytes, wal_fpi::float8 as pages,
      n_tup_upd::float8 as updates, n_tup_hot_upd::float8 as hot
    from pg_stat_wal, pg_stat_user_tables where relname = 'queued_jobs'`;
  if (!written) throw new Error("The statistics are missing");
  return written;
}

/** Does the work once, so that its pages are in the log, and then measures it. */
async function measured(sql: Sql, work: () => Promise<void>): Promise<Written> {
  await sql`checkpoint`;
  await work();
  const before = await readWritten(sql);
  for (let round = 0; round < ROUNDS; round++) await work();
  const after = await readWritten(sql);
  const by = (key: keyof Written) => (after[key] - before[key]) / ROUNDS;
  return { bytes: by("bytes"), pages: by("pages"), updates: by("updates"), hot: by("hot") };
}

async function measure(sql: Sql): Promise<void> {
  const rows = await sql<{ id: string; attempt: number; worker: string }[]>`
    select id, attempts as attempt, worker from queued_jobs where status = 'STARTED'`;
  const workers = new Set(rows.map(({ worker }) => worker));
  const leases = await measured(sql, async () => {
    for (const worker of workers)
      await renewLeases(
        sql,
        worker,
        rows.filter((row) => row.worker === worker),
      );
  });
  say(`${ATTEMPTS} attempts of ${WORKERS} workers, ${FINISHED} finished rows`);
  say(`leases: ${perSecond(leases, RENEW_SECONDS)}`);
  await sql`update queued_jobs set started_at = now() - interval '1 minute'
    where status = 'STARTED'`;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const beganAt = performance.now();
    const lapsed = await findLapsed(sql, 1000);
    if (lapsed.length > 0) throw new Error("Attempts with a lease have lapsed");
    times.push(performance.now() - beganAt);
  }
  times.sort((a, b) => a - b);
  say(`search for lapsed attempts: ${times[ROUNDS / 2]?.toFixed(1)} ms`);
  let fraction = 0;
  const progress = await measured(sql, async () => {
    fraction += 0.01;
    for (let first = 0; first < rows.length; first += REPORTS_PER_STATEMENT) {
      const some = rows.slice(first, first + REPORTS_PER_STATEMENT);
      const message = `step ${Math.round(100 * fraction)} of 100`;
      await recordProgress(
        sql,
        some.map((row) => ({ ...row, progress: fraction, message })),
      );
    }
  });
  say(`progress: ${perSecond(progress, 1)}, with one report of each attempt per second`);
  say(`  ${Math.round(progress.bytes / ATTEMPTS)} bytes per report`);
}

function perSecond({ bytes, pages, updates, hot }: Written, seconds: number): string {
  const round = (value: number) => Math.round(value / seconds);
  return (
    `${round(bytes)} bytes/s of log with ${round(pages)} whole pages/s, ` +
    `${round(updates)} updates/s of queued_jobs, of which ${round(hot)} without index entries`
  );
}
