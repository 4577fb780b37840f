import type { Fragment, Sql } from "postgres";
import { isStorable } from "../../domain/is-storable.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";

/** Which QueuedJobs; null takes all. */
export interface QueuedJobFilter {
  statuses: readonly QueuedJobStatus[] | null;
  jobs: readonly string[] | null;
}

/**
 * Conditions on the row `t`; begins with `and`, or is empty. A name that PostgreSQL does not take
 * is no Job's.
 */
export function filterCondition(sql: Sql, { statuses, jobs }: QueuedJobFilter): Fragment {
  const names = jobs?.filter(isStorable);
  return sql`${statuses ? sql`and t.status = any(${[...statuses]})` : sql``}
    ${names ? sql`and t.job_name = any(${names})` : sql``}`;
}

/** A user's, oldest first. */
export function findOldest(
  sql: Sql,
  query: {
    userId: string;
    filter: QueuedJobFilter;
    statuses: readonly QueuedJobStatus[];
    limit: number;
  },
): Promise<{ id: string; version: number }[]> {
  return sql<{ id: string; version: number }[]>`
    select t.id, t.version from queued_jobs t
    where t.user_id = ${query.userId} and t.status = any(${[...query.statuses]})
      ${filterCondition(sql, query.filter)}
    order by t.id limit ${query.limit}`;
}
