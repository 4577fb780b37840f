// The waiting work, for operators and for the health of workers. All reads use the partial indexes
// and are bounded. A backlog of millions therefore costs no more than one of thousands.
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { isPaused } from "../operators/paused-rows.js";
import { stateOfWorker } from "../operators/worker-register.js";

/** The backlog of all processes together. */
export interface Backlog {
  pending: number;
  started: number;
  /**
   * Time for which the oldest due QueuedJob has waited that is not paused; 0 when none of the first
   * 100,000 due rows is such a row.
   */
  oldestWaitSeconds: number;
  /** Counts by Job of the first 5,000 rows of each status. */
  jobs: { job: string; status: string; count: number }[];
  /** Connections with the same application name. */
  connections: { state: string; count: number }[];
  paused: { kind: string; count: number }[];
  workers: { state: string; count: number }[];
  /** Time until connections were free and all of this was read. */
  answerSeconds: number;
}

export interface BacklogReads {
  /** Reads at most once in two seconds; in between, returns the last answer. */
  read(): Promise<Backlog>;
  /**
   * Returns true if one of these Jobs has been due for more than `seconds` and is not paused;
   * checks 20,000 rows.
   */
  hasWaited(jobs: readonly string[], seconds: number): Promise<boolean>;
}

/**
 * Maximum rows that are counted; above it, the statistics of the partial index give an estimate.
 */
const COUNTED = 20_000;
const SORTED_BY_JOB = 5000;
/** Maximum rows to check, since many rows may wait for a slow lane while a fast one has stopped. */
const DUE_LOOKED_AT = 20_000;
/** Maximum paused rows at the front behind which the oldest wait is found. */
const PAUSED_LOOKED_AT = 100_000;
const FRESH_MS = 2000;

export function createBacklogReads(
  { sql }: Pick<Database, "sql">,
  options: { freshMs?: number } = {},
): BacklogReads {
  let last: Promise<Backlog> | null = null;
  let readAt = 0;

  return {
    read() {
      if (!last || Date.now() - readAt > (options.freshMs ?? FRESH_MS)) {
        readAt = Date.now();
        const reading = available(() => readBacklog(sql));
        last = reading;
        // A failure is not cached: the next call reads again.
        reading.catch(() => last === reading && (last = null));
      }
      return last;
    },
    hasWaited: (jobs, seconds) => available(() => hasWaited(sql, jobs, seconds)),
  };
}

async function readBacklog(sql: Sql): Promise<Backlog> {
  const startedAt = performance.now();
  const [totals, jobs, connections, paused, workers] = await Promise.all([
    readTotals(sql),
    readJobs(sql),
    readConnections(sql),
    readPaused(sql),
    readWorkers(sql),
  ]);
  const { pending, started, oldest, estimated } = totals;
  return {
    pending: pending === COUNTED ? Math.max(pending, estimated) : pending,
    started,
    oldestWaitSeconds: oldest,
    jobs: [...jobs],
    connections: [...connections],
    paused: [...paused],
    workers: [...workers],
    answerSeconds: (performance.now() - startedAt) / 1000,
  };
}

interface Totals {
  pending: number;
  started: number;
  oldest: number;
  estimated: number;
}

async function readTotals(sql: Sql): Promise<Totals> {
  const [row] = await sql<Totals[]>`
    select (select count(*)::int from (select from queued_jobs where status = 'PENDING'
      order by due_at limit ${COUNTED}) p) as pending,
      (select count(*)::int from (select from queued_jobs where status = 'STARTED'
      order by lease_until limit ${COUNTED}) s) as started,
      coalesce((select extract(epoch from clock_timestamp() - due_at) from (
        select due_at, job_name, user_id from queued_jobs
        where status = 'PENDING' and due_at <= clock_timestamp() order by due_at
        limit ${PAUSED_LOOKED_AT}) due
        where not ${isPaused(sql)} order by due_at limit 1), 0)::float8 as oldest,
      (select greatest(reltuples, 0)::float8 from pg_class
      where oid = 'queued_jobs_due_id'::regclass) as estimated`;
  if (!row) throw new Error("A select without from returned no row");
  return row;
}

function readJobs(sql: Sql) {
  return sql<Backlog["jobs"]>`
    select job_name as job, status, count(*)::int as count from (
      (select job_name, status from queued_jobs where status = 'PENDING' order by due_at
      limit ${SORTED_BY_JOB})
      union all (select job_name, status from queued_jobs where status = 'STARTED'
      order by lease_until limit ${SORTED_BY_JOB})) first group by 1, 2`;
}

function readConnections(sql: Sql) {
  return sql<Backlog["connections"]>`
    select coalesce(state, 'unknown') as state, count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = current_setting('application_name')
      group by 1`;
}

function readPaused(sql: Sql) {
  return sql<Backlog["paused"]>`select kind, count(*)::int as count from pauses group by 1`;
}

function readWorkers(sql: Sql) {
  return sql<Backlog["workers"]>`
    select ${stateOfWorker(sql)} as state, count(*)::int as count from workers group by 1`;
}

async function hasWaited(sql: Sql, jobs: readonly string[], seconds: number): Promise<boolean> {
  const rows = await sql`
    select 1 from (select job_name, user_id from queued_jobs where status = 'PENDING'
      and due_at < clock_timestamp() - ${seconds} * interval '1 second' order by due_at
        limit ${DUE_LOOKED_AT}) due
    where job_name = any(${[...jobs]}) and not ${isPaused(sql)} limit 1`;
  return rows.length > 0;
}
