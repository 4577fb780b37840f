// Measures whether the purge keeps up with QueuedJobs that expire at a steady rate.
//   node dist/bench/load/expiring-jobs.js [--rate 3000] [--seconds 60] [--users 2000] [--events 2]
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { say, withLoadService } from "./load-service.js";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "3000" },
    seconds: { type: "string", default: "60" },
    users: { type: "string", default: "2000" },
    events: { type: "string", default: "2" },
  },
});
const [RATE, SECONDS] = [Number(values.rate), Number(values.seconds)];
const [USERS, EVENTS] = [Number(values.users), Number(values.events)];
const JOBS = RATE * SECONDS;
const SLICE = 100_000;
/** Time for which the rows are made before the first expires. */
const [SETUP_SECONDS, SETUP_PER_SECOND] = [10, 10_000];
/** Time between looks at the backlog. */
const LOOK_MS = 5000;

await withLoadService({}, async ({ postgres: { url } }) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const start = new Date(Date.now() + 1000 * (SETUP_SECONDS + JOBS / SETUP_PER_SECOND));
  await makeOwners(sql);
  for (let from = 1; from <= JOBS; from += SLICE)
    await makeJobs(sql, start, from, Math.min(JOBS, from + SLICE - 1));
  await sql`vacuum analyze`;
  say(`${JOBS} jobs with a photo and ${EVENTS} events each, ${RATE} expire per second`);
  await pause(start.getTime() - Date.now());
  await watch(sql);
  await sql.end();
});

async function makeOwners(sql: Sql): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select md5(i::text)::uuid, 'load', i, 'a@b.c', true, 'A', 0, now()
      from generate_series(1, ${USERS}) i`;
  await sql`insert into user_streams (user_id, last_seq, recorded_bytes)
    select id, 1000000000, 1000000000 from users`;
  await sql`
    insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
      storage_key, preview_key, metadata_tries, created_at)
    select id, id, 'a', 'image/png', 1, 1, 0, 'x', 'k', 'k', 0, now() from users`;
}

async function makeJobs(sql: Sql, start: Date, from: number, to: number): Promise<void> {
  await sql.unsafe(
    `with i as (
      select i, ('0190' || lpad(to_hex(i), 28, '0'))::uuid as id,
        md5((1 + i % $1::int)::text)::uuid as user_id,
        $4::timestamptz + i::float8 / $5::int * interval '1 second' as expires_at
      from generate_series($2::int, $3::int) i),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select user_id, i::bigint * $6::int + n, id, 'SUCCEEDED', now(), jsonb_build_object('id', id,
        'jobName', 'echo', 'status', 'SUCCESS', 'createdAt', now(), 'finishedAt', now()), 180
      from i, generate_series(1, $6::int) n),
    q as (
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status, finished_at, progress, expires_at)
      select id, user_id, 'echo', '{}', 1, 0, 'r', now(), now(), now(), 'SUCCESS', now(), 1,
        expires_at from i)
    insert into queued_job_photos (queued_job_id, position, photo_id) select id, 0, user_id from i`,
    [USERS, from, to, start.toISOString(), RATE, EVENTS],
  );
}

async function watch(sql: Sql): Promise<void> {
  let [left, worst] = [JOBS, 0];
  const startedAt = performance.now();
  while (left > 0) {
    const [row] = await sql<{ left: number; late: number }[]>`
      select (select count(*) from queued_jobs)::int as left, coalesce((select extract(epoch
        from clock_timestamp() - expires_at) from queued_jobs order by expires_at limit 1),
        0)::float8 as late`;
    left = row?.left ?? 0;
    worst = Math.max(worst, row?.late ?? 0);
    const seconds = (performance.now() - startedAt) / 1000;
    say(`${seconds.toFixed(0)} s: ${left} left, the oldest is ${row?.late.toFixed(1)} s late`);
    await pause(LOOK_MS);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${Math.round(JOBS / seconds)} removed per second, at most ${worst.toFixed(1)} s late`);
}
