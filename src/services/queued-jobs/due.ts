// What upkeep looks for. All of it finds its rows by a partial index, whatever the size of the table.
import type { Sql } from "postgres";
import type { QueuedJob } from "../../queued-job.js";
import type { Attempt } from "./attempt.js";

/** How long a row has not been touched before its hint is taken for lost. */
const PATIENCE_SECONDS = 5;

export interface DueRow {
  id: string;
  jobName: string;
  run: number;
  requestId: string;
  priority: number;
  /** How many of its owner's wait before it. */
  backlog: number;
  /** From now; 0 when it is due already. */
  delayMs: number;
}

/**
 * Rows that wait and are due, or will be within `aheadMs`: the first of each owner, then the second of each, and so on, so
 * that after an outage nobody stands behind another's thousands.
 */
export function findDue(sql: Sql, { limit, aheadMs, patient }: { limit: number; aheadMs: number; patient: boolean }): Promise<DueRow[]> {
  return sql<DueRow[]>`
    select id, job_name as "jobName", run, request_id as "requestId", priority, (rank - 1)::int as backlog,
      greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as "delayMs"
    from (
      select *, row_number() over (partition by user_id order by priority desc, due_at, id) as rank from queued_jobs
      where status = 'PENDING' and due_at < clock_timestamp() + ${aheadMs} * interval '1 millisecond') ranked
    where updated_at < clock_timestamp() - ${patient ? PATIENCE_SECONDS : 0} * interval '1 second'
    order by rank, due_at limit ${limit}`;
}

/** Attempts whose worker has not renewed its lease in time. */
export function findLapsed(sql: Sql, limit: number): Promise<Attempt[]> {
  return sql<Attempt[]>`select id, attempts as attempt from queued_jobs where status = 'STARTED' and lease_until < clock_timestamp() order by lease_until limit ${limit}`;
}

/** Unfinished ones of the same owner of at least the same priority, for each. */
export async function backlogsOf(sql: Sql, queuedJobs: Pick<QueuedJob, "userId" | "priority">[]): Promise<number[]> {
  const rows = await sql<{ n: number }[]>`
    with i as (select * from unnest(${queuedJobs.map(({ userId }) => userId)}::uuid[], ${queuedJobs.map(({ priority }) => priority)}::int[]) with ordinality as i(user_id, priority, place)),
      n as (
        select d.*, (select count(*)::int from queued_jobs q where q.user_id = d.user_id and q.priority >= d.priority and q.status in ('PENDING', 'STARTED')) as n
        from (select distinct user_id, priority from i) d)
    select n.n from i join n on n.user_id = i.user_id and n.priority = i.priority order by i.place`;
  return rows.map(({ n }) => n);
}
