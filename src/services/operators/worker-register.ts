// The register of worker processes. Each writes its row by heartbeats, which return the orders for
// it. A process without heartbeats is shown as lost.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { WORKER_STATES } from "../../db/schema/deployment.js";
import { isStorable } from "../../domain/is-storable.js";
import type { Instant } from "../../domain/queued-job.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import { changeAndRecord, type Operator } from "./operator-actions.js";

export type WorkerState = (typeof WORKER_STATES)[number];

/** A worker process, as it reports itself. */
export interface WorkerReport {
  name: string;
  version: string;
  revision: string | null;
  host: string;
  pid: number;
  state: WorkerState;
  /** Maximum tasks at once in the process, and in its children. */
  tasks: number;
  children: number;
  rssBytes: number;
  /** Ids of the QueuedJobs that it runs. */
  running: string[];
}

/** The orders of operators that concern a worker. */
export interface WorkerOrders {
  drain: boolean;
  /** Names of paused Jobs. */
  pausedJobs: string[];
  /** Number of paused users. */
  pausedUsers: number;
}

export interface RegisteredWorker extends Omit<WorkerReport, "state" | "running"> {
  state: WorkerState | "lost";
  stateSince: Instant;
  /** True from the order to drain until its withdrawal. */
  drain: boolean;
  startedAt: Instant;
  heartbeatAt: Instant;
  /** QueuedJobs that it runs, or ran at the last heartbeat of a lost one. */
  attempts: WorkerAttempt[];
}

export interface WorkerAttempt {
  id: string;
  jobName: string;
  status: QueuedJobStatus;
  startedAt: Instant | null;
  /** True while its latest attempt belongs to this worker. */
  isOwn: boolean;
}

export interface WorkerRegister {
  /** Writes the row of this process, and returns its orders. */
  beat(report: WorkerReport): Promise<WorkerOrders>;
  /** Returns the workers of the last day: first those that run or drain, then the latest. */
  list(): Promise<RegisteredWorker[]>;
  /** Orders a worker to take no more work, or withdraws that; returns false for an unknown name. */
  order(name: string, drain: boolean, by: Operator): Promise<boolean>;
  /** Removes the workers without a heartbeat for a day, and old leases; returns their number. */
  purge(): Promise<number>;
}

/** Time without a heartbeat after which a worker is shown as lost. */
const LOST_SECONDS = 20;
const KEPT_HOURS = 24;
/** Maximum ids in a heartbeat, so that it stays small. */
const MAX_RUNNING = 200;
const MAX_LISTED = 200;

/** Returns the state of a row of `workers`, which may be lost. */
export function stateOfWorker(sql: Sql): Fragment {
  return sql`case when state <> 'stopped'
    and heartbeat_at < clock_timestamp() - ${LOST_SECONDS} * interval '1 second'
    then 'lost' else state end`;
}

export function createWorkerRegister({ sql }: Pick<Database, "sql">): WorkerRegister {
  return {
    beat: (report) => available(() => beat(sql, report)),
    list: () => available(() => listWorkers(sql)),
    async order(name, drain, by) {
      if (!isStorable(name)) return false;
      const verb = drain ? "drain worker" : "end draining of worker";
      const action = { ...by, action: verb, target: { worker: name }, count: 1 };
      return changeAndRecord(sql, action, async (tx) => {
        const rows = await tx`
          update workers set drain = ${drain} where name = ${name} returning name`;
        return rows.length > 0;
      });
    },
    async purge() {
      const rows = await available(
        () => sql`
          with leases as (
            delete from worker_leases
            where valid_until < clock_timestamp() - ${KEPT_HOURS} * interval '1 hour')
          delete from workers
          where heartbeat_at < clock_timestamp() - ${KEPT_HOURS} * interval '1 hour'
          returning name`,
      );
      return rows.length;
    },
  };
}

async function beat(sql: Sql, report: WorkerReport): Promise<WorkerOrders> {
  const { name, version, revision, host, pid, state, tasks, children, rssBytes } = report;
  const [orders] = await sql<WorkerOrders[]>`
    insert into workers as w (name, version, revision, host, pid, state, state_since, tasks,
      children, rss_bytes, running, started_at, heartbeat_at)
    values (${name}, ${version}, ${revision}, ${host}, ${pid}, ${state}, now(), ${tasks},
      ${children}, ${rssBytes}, ${report.running.slice(0, MAX_RUNNING)}::uuid[], now(),
      clock_timestamp())
    on conflict (name) do update set state = excluded.state, rss_bytes = excluded.rss_bytes,
      running = excluded.running, heartbeat_at = excluded.heartbeat_at,
      state_since = case when w.state = excluded.state then w.state_since
        else excluded.state_since end
    returning drain,
      array(select subject from pauses where kind = 'JOB' order by 1) as "pausedJobs",
      (select count(*)::int from pauses where kind = 'USER') as "pausedUsers"`;
  if (!orders) throw new Error("An upsert returned no row");
  return orders;
}

/** A lost worker shows what it ran at its last heartbeat: its attempts are taken over soon. */
async function listWorkers(sql: Sql): Promise<RegisteredWorker[]> {
  return [
    ...(await sql<RegisteredWorker[]>`
      with w as materialized (
        select *, ${stateOfWorker(sql)} as present from workers
        order by state = 'stopped', heartbeat_at desc, name limit ${MAX_LISTED}),
      own as materialized (
        select worker, array_agg(id) as ids from queued_jobs
        where status = 'STARTED' and worker = any(array(select name from w)) group by 1)
      select w.name, version, revision, host, pid, present as state, drain, tasks, children,
        rss_bytes::float8 as "rssBytes", rfc3339(w.started_at) as "startedAt",
        rfc3339(heartbeat_at) as "heartbeatAt",
        rfc3339(case when present = 'lost' then heartbeat_at else state_since
          end) as "stateSince",
        coalesce((
          select jsonb_agg(jsonb_build_object('id', q.id, 'jobName', q.job_name, 'status',
            q.status, 'startedAt', rfc3339(q.started_at), 'isOwn',
            q.status = 'STARTED' and q.worker = w.name) order by q.started_at, q.id)
          from queued_jobs q where q.id = any(coalesce(own.ids, '{}') || case when present = 'lost'
            then w.running else '{}' end)), '[]'::jsonb) as attempts
      from w left join own on own.worker = w.name
      order by present = 'stopped', present = 'lost', heartbeat_at desc, w.name`),
  ];
}
