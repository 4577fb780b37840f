// What upkeep looks for. All of it finds its rows by a partial index, whatever the size of the
// table.
import type { Sql } from "postgres";
import type { QueuedJob } from "../../domain/queued-job.js";
import type { Attempt } from "./attempt.js";

/** Attempts whose worker has not renewed its lease in time. */
export function findLapsed(sql: Sql, limit: number, leftOut: string[] = []): Promise<Attempt[]> {
  return sql<Attempt[]>`
    select id, attempts as attempt from queued_jobs
    where status = 'STARTED' and lease_until < clock_timestamp() and id <> all(${leftOut}::uuid[])
    order by lease_until limit ${limit}`;
}

/** Unfinished ones of the same owner of at least the same priority, for each. */
export async function backlogsOf(
  sql: Sql,
  queuedJobs: Pick<QueuedJob, "userId" | "priority">[],
): Promise<number[]> {
  const rows = await sql<{ n: number }[]>`
    with i as (select * from unnest(${queuedJobs.map(({ userId }) => userId)}::uuid[],
      ${queuedJobs.map(({ priority }) => priority)}::int[]) with ordinality as i(user_id, priority,
      place)),
      n as (
        select d.*, (select count(*)::int from queued_jobs q where q.user_id = d.user_id
          and q.priority >= d.priority and q.status in ('PENDING', 'STARTED')) as n
        from (select distinct user_id, priority from i) d)
    select n.n from i join n on n.user_id = i.user_id and n.priority = i.priority order by i.place`;
  return rows.map(({ n }) => n);
}
