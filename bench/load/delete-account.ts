// Measures how long others wait for an accepted submission while a large account is deleted.
//   node dist/bench/load/delete-account.js [--jobs 1000000] [--others 20] [--rate 50] [--seconds 30]
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { percentile } from "../report/statistics.js";
import { say, withLoadService, type LoadUser } from "./load-service.js";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "1000000" },
    others: { type: "string", default: "20" },
    rate: { type: "string", default: "50" },
    seconds: { type: "string", default: "30" },
  },
});
const [JOBS, OTHERS] = [Number(values.jobs), Number(values.others)];
const [RATE, SECONDS] = [Number(values.rate), Number(values.seconds)];
const SLICE = 100_000;
const EVENTS_PER_JOB = 2;
const WARM_UP_SECONDS = 5;

await withLoadService({}, async ({ postgres: { url }, user }) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const leaving = await user("leaving");
  const others = await Promise.all(Array.from({ length: OTHERS }, (_, i) => user(`other-${i}`)));
  await leaving.ask("{ me { id } }");
  const [owner] = await sql<{ id: string }[]>`select id from users where subject = 'leaving'`;
  const id = owner?.id ?? "";
  for (let from = 1; from <= JOBS; from += SLICE)
    await makeJobs(sql, id, from, Math.min(JOBS, from + SLICE - 1));
  await sql`vacuum analyze`;
  await sql`checkpoint`;
  await submit(others, WARM_UP_SECONDS);
  const quiet = await submit(others, SECONDS);
  const deleting = leaving.ask("mutation { deleteMe }");
  const beside = await submit(others, SECONDS);
  await deleting;
  const left = await countLeft(sql, id);
  say(`${RATE} accepts per second of ${OTHERS} others; an account with ${JOBS} jobs is deleted`);
  for (const share of [0.5, 0.99]) {
    const [before, after] = [quiet, beside].map((list) => percentile(list, share));
    const ratio = ((after ?? 0) / (before ?? 1)).toFixed(2);
    say(
      `p${100 * share}: ${before?.toFixed(1)} ms quiet, ${after?.toFixed(1)} ms beside: ${ratio}`,
    );
  }
  say(`${JOBS - left} jobs erased in ${SECONDS} s, ${left} left`);
  await sql.end();
});

async function makeJobs(sql: Sql, userId: string, from: number, to: number): Promise<void> {
  await sql`
    with i as (
      select i, ('0190' || lpad(to_hex(i), 28, '0'))::uuid as id, ${userId}::uuid as user_id
      from generate_series(${from}::int, ${to}::int) i),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select user_id, i::bigint * ${EVENTS_PER_JOB}::int + n, id, 'SUCCEEDED', now(),
        jsonb_build_object('id', id, 'jobName', 'echo', 'status', 'SUCCESS', 'createdAt', now(),
          'finishedAt', now()), 180
      from i, generate_series(1, ${EVENTS_PER_JOB}::int) n)
    insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
      due_at, created_at, updated_at, status, finished_at, progress, expires_at)
    select id, user_id, 'echo', '{}', 0, 0, 'r', now(), now(), now(), 'SUCCESS', now(), 1,
      now() + interval '1 day' from i`;
}

/** Submits at the rate, whatever the answers take; returns the time of each in milliseconds. */
async function submit(users: LoadUser[], seconds: number): Promise<number[]> {
  const startedAt = performance.now();
  const one = async (i: number): Promise<number> => {
    await pause(startedAt + (i * 1000) / RATE - performance.now());
    const askedAt = performance.now();
    await users[i % users.length]?.ask('mutation { enqueueJob(input: { job: "echo" }) { id } }');
    return performance.now() - askedAt;
  };
  return Promise.all(Array.from({ length: seconds * RATE }, (_, i) => one(i)));
}

async function countLeft(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from queued_jobs where user_id = ${userId}`;
  return row?.count ?? 0;
}
