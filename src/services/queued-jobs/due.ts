// What the reconciler looks for. Both find their rows by a partial index, whatever the size of the table.
import type { Sql } from "postgres";
import type { QueuedJob } from "../../queued-job.js";
import type { Attempt } from "./attempt.js";
import { queuedJobJson } from "./statements.js";

/** How long a row has not been touched before its hint is taken for lost. */
const PATIENCE_SECONDS = 5;

export interface DueRow {
  queuedJob: QueuedJob;
  run: number;
  requestId: string;
  pending: number;
  /** From now; 0 when it is due already. */
  delayMs: number;
}

/** Rows that wait and are due, or will be within `aheadMs`, first due first. */
export function findDue(sql: Sql, { limit, aheadMs }: { limit: number; aheadMs: number }): Promise<DueRow[]> {
  return sql<DueRow[]>`
    select ${queuedJobJson(sql, sql`'[]'::jsonb`)} as "queuedJob", t.run, t.request_id as "requestId", s.pending,
      greatest(0, extract(epoch from t.due_at - clock_timestamp()) * 1000)::float8 as "delayMs"
    from queued_jobs t join user_streams s using (user_id)
    where t.status = 'PENDING' and t.due_at < clock_timestamp() + ${aheadMs} * interval '1 millisecond'
      and t.updated_at < clock_timestamp() - ${PATIENCE_SECONDS} * interval '1 second'
    order by t.due_at limit ${limit}`;
}

/** Attempts whose worker has not renewed its lease in time. */
export function findLapsed(sql: Sql, limit: number): Promise<Attempt[]> {
  return sql<Attempt[]>`select id, attempts as attempt from queued_jobs where status = 'STARTED' and lease_until < clock_timestamp() order by lease_until limit ${limit}`;
}

/** Unfinished ones of the same owner of at least the same priority. */
export async function backlogOf(sql: Sql, { userId, priority }: QueuedJob): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from queued_jobs where user_id = ${userId} and priority >= ${priority} and status in ('PENDING', 'STARTED')`;
  return row?.n ?? 0;
}
