// Measures statements on few rows and on many, in turns on two servers, and how long it takes to
// drop the events of a day.
//   node dist/bench/load/size.js [--jobs 1000000] [--events 2000000] [--users 2000] [--rounds 300]
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { createDatabase, type Database } from "../../src/db/database.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createEventRetirement } from "../../src/services/maintenance/event-retirement.js";
import { claim } from "../../src/services/queued-jobs/claim.js";
import { insertOne } from "../../src/services/queued-jobs/insert.js";
import { succeed } from "../../src/services/queued-jobs/success.js";
import { createEventLog } from "../../src/services/reads/event-log.js";
import { createOwnPages } from "../../src/services/reads/own-pages.js";
import { median } from "../report/statistics.js";
import { withLoadDatabase, type LoadDatabase } from "./load-database.js";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "1000000" },
    events: { type: "string", default: "2000000" },
    users: { type: "string", default: "2000" },
    rounds: { type: "string", default: "300" },
  },
});
const [JOBS, EVENTS] = [Number(values.jobs), Number(values.events)];
const [USERS, ROUNDS] = [Number(values.users), Number(values.rounds)];
const FEW = 1000;
/** The owners of these rows, who are measured; all other rows belong to other users. */
const MEASURED_USERS = 20;
const SLICE = 250_000;
const WARM_UP = 200;
const TTL_SECONDS = 86_400;
const HOURS_PER_PART = 6;
/** Partitions of the two days that are filled; those of the first day have expired. */
const PARTS = 8;
const LIMITS = { maxPending: 1_000_000, maxRecordedBytes: 1e12 };
const log = createLogger({ name: "load", level: "error", pretty: false });
const say = (line: string) => process.stdout.write(`${line}\n`);

await withLoadDatabase(2, (small) => withLoadDatabase(2, (large) => run(small, large)));

async function run(small: LoadDatabase, large: LoadDatabase): Promise<void> {
  for (const { driver } of [small, large]) {
    await makeUsers(driver);
    await makePastPartitions(driver);
    await fill(driver, { jobs: FEW, events: FEW, from: 0 });
  }
  await fill(large.driver, { jobs: JOBS - FEW, events: EVENTS - FEW, from: FEW });
  const [few, many] = [await createMeter(small), await createMeter(large)];
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const meter of round % 2 === 0 ? [few, many] : [many, few]) await meter.measure(round);
  say(`medians of ${ROUNDS} rounds in µs, with ${FEW} and with ${JOBS} jobs, ${EVENTS} events`);
  const after = many.medians();
  for (const [what, before] of few.medians()) {
    const ratio = (before / (after.get(what) ?? 0)).toFixed(2);
    say(`${what}: ${before} → ${after.get(what)} (${ratio} of the speed)`);
  }
  await dropDay(large.database, large.url);
}

async function makeUsers(sql: Sql): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select md5(i::text)::uuid, 'load', i, 'a@b.c', true, 'A', 0, now()
      from generate_series(1, ${USERS}) i`;
  await sql`insert into user_streams (user_id, last_seq) select id, 1000000000 from users`;
}

/** Replaces the first partition, which covers the past. */
async function makePastPartitions(sql: Sql): Promise<void> {
  await sql`alter table queued_job_events detach partition queued_job_events_first`;
  await sql`drop table queued_job_events_first`;
  const [row] = await sql<{ hour: number }[]>`
    select floor(date_part('epoch', now()) / 3600)::int as hour`;
  const end = (row?.hour ?? 0) + HOURS_PER_PART;
  for (let i = 0; i <= PARTS + 1; i++) {
    const start = end - (i + 1) * HOURS_PER_PART;
    await sql.unsafe(
      `create table queued_job_events_${start} partition of queued_job_events for values ` +
        `from (${start}) to (${start + HOURS_PER_PART})`,
    );
  }
}

/** Finished jobs, and events in the order of time over two days. */
async function fill(
  sql: Sql,
  { jobs, events, from }: { jobs: number; events: number; from: number },
): Promise<void> {
  const [first, count] =
    from === 0 ? [1, MEASURED_USERS] : [1 + MEASURED_USERS, USERS - MEASURED_USERS];
  const user = `md5((${first} + i % $1::int)::text)::uuid`;
  for (let done = 0; done < jobs; done += SLICE)
    await sql.unsafe(
      `insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority,
        request_id, due_at, created_at, updated_at, status, finished_at, progress, expires_at)
      select ('0190' || lpad(to_hex(i), 28, '0'))::uuid, ${user}, 'echo', '{}', 0, 0, 'r', now(),
        now(), now(), 'SUCCESS', now(), 1, now() + interval '1 day'
      from generate_series($2::int, $3::int) i`,
      [count, from + done, from + Math.min(jobs, done + SLICE) - 1],
    );
  const hour = `floor(date_part('epoch', now()) / 3600)::int - 49 + (48 * (i - ${from})) / $4::int`;
  for (let done = 0; done < events; done += SLICE)
    await sql.unsafe(
      `insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes,
        logged_hour)
      select ${user}, 1 + i, ('0190' || lpad(to_hex(i / 2), 28, '0'))::uuid, 'SUCCEEDED',
        to_timestamp(3600 * hour), jsonb_build_object('id', i, 'jobName', 'echo', 'status',
          'SUCCESS', 'version', 3, 'attempts', 1, 'createdAt', now(), 'finishedAt', now()), 180,
        hour
      from (select i::bigint, (${hour})::int as hour
        from generate_series($2::bigint, $3::bigint) i) e`,
      [count, from + done, from + Math.min(events, done + SLICE) - 1, events],
    );
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}

/** Measures one round at a time. */
async function createMeter({ database, driver }: LoadDatabase) {
  const times = new Map<string, number[]>();
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const value = await work();
    const list = times.get(what) ?? [];
    times.set(what, list);
    list.push(1000 * (performance.now() - startedAt));
    return value;
  };
  const { sql } = database;
  const pages = createOwnPages(database);
  const events = createEventLog(database);
  const users = await driver<{ id: string }[]>`
    select id from users where subject::int <= ${MEASURED_USERS}`;
  return {
    async measure(round: number): Promise<void> {
      if (round === 0) times.clear();
      const userId = users[(round + WARM_UP) % users.length]?.id ?? "";
      const item = newItem();
      const [id, ttlSeconds] = [item.id, TTL_SECONDS];
      await timed("accept", () => insertOne(sql, { userId, requestId: "r" }, item, LIMITS));
      await timed("start", () => claim(sql, { id, run: 1, worker: "load" }, ["echo"]));
      const success = { id, attempt: 1, result: '"ok"', outputs: [], reusedFrom: null };
      const limits = { resultVersion: null, maxStoredBytes: 1e12, maxRecordedBytes: 1e12 };
      await timed("success", () => succeed(sql, { ...success, ...limits, ttlSeconds }));
      await timed("page of 20 jobs", () => pages({ userId, size: 20, backward: false, key: null }));
      const resume = { userId, limit: 20, queuedJobId: null };
      await timed("resume at the head", () => events.read({ ...resume, seq: 1_000_000_000 }));
      await timed("replay of 20 events", () => events.read({ ...resume, seq: 0 }));
      await timed("state of a job", () => events.present(userId, id));
    },
    medians: () => new Map([...times].map(([what, list]) => [what, Math.round(median(list))])),
  };
}

/** Drops the expired partitions while another client writes, and reports its longest wait. */
async function dropDay(database: Database, url: string): Promise<void> {
  const writer = createDatabase({ url, connections: 1, applicationName: "load" });
  const [user] = await database.sql<{ id: string }[]>`select id from users limit 1`;
  const over = new AbortController();
  const waits: number[] = [];
  const writing = (async () => {
    while (!over.signal.aborted) {
      const startedAt = performance.now();
      const unit = { userId: user?.id ?? "", requestId: "r" };
      await insertOne(writer.sql, unit, newItem(), LIMITS);
      waits.push(performance.now() - startedAt);
      await pause(1);
    }
  })();
  await pause(2000);
  const quiet = Math.max(...waits.splice(0));
  const retirement = createEventRetirement({
    database,
    eventTtlSeconds: TTL_SECONDS,
    undelivered: null,
    log,
  });
  const startedAt = performance.now();
  const { events } = await retirement.run(over.signal);
  const ms = Math.round(performance.now() - startedAt);
  over.abort();
  await writing;
  await writer.close();
  say(
    `${events} events of a day dropped in ${ms} ms; longest accept beside it ` +
      `${Math.round(Math.max(...waits))} ms, before ${Math.round(quiet)} ms`,
  );
}

function newItem() {
  return {
    id: uuidv7(),
    jobName: "echo",
    parameters: {},
    photoIds: [],
    priority: 0,
    runAt: null,
    idempotencyKey: null,
    fingerprint: null,
    fresh: false,
    createdAt: new Date().toISOString(),
  };
}
