// A worker keeps the leases of all its attempts in one row, because renewing each in its own row
// would write a new version of each. See decision 19.
import type { Fragment, Sql } from "postgres";
import { hasOwner } from "../statements.js";

/** One attempt of one QueuedJob. */
export interface Attempt {
  id: string;
  attempt: number;
}

/** Time after which a worker that does not renew its lease counts as dead. */
const LEASE_SECONDS = 30;
/**
 * The lease in the row itself, which only workers without a row in `worker_leases` rely on: those
 * of the release before. It is renewed when half of it is left.
 */
const ROW_LEASE_SECONDS = 180;

/** Sets the lease in the row of a claim. */
export function rowLease(sql: Sql): Fragment {
  return sql`lease_until = clock_timestamp() + ${ROW_LEASE_SECONDS} * interval '1 second'`;
}

/**
 * True for a started row whose worker counts as dead. Each claim holds for the length of a lease,
 * then as long as the lease of its worker includes it. Without such a lease, its own row decides.
 */
export function hasLapsed(sql: Sql): Fragment {
  return sql`coalesce((
    select queued_jobs.started_at < clock_timestamp() - ${LEASE_SECONDS} * interval '1 second'
      and not (l.valid_until > clock_timestamp() and queued_jobs.id = any(l.queued_job_ids))
    from worker_leases l where l.worker = queued_jobs.worker), lease_until < clock_timestamp())`;
}

/**
 * Renews the lease of a worker. Returns the ids of the attempts that it includes; a missing one was
 * cancelled or taken over. Beware: it no longer includes any other attempt.
 */
export async function renewLeases(
  sql: Sql,
  worker: string,
  attempts: Attempt[],
): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    with mine as materialized (
      select id, attempts, lease_until from queued_jobs
      join unnest(${attempts.map((a) => a.id)}::uuid[], ${attempts.map((a) => a.attempt)}::int[])
        as a(item_id, item_attempt) on id = item_id and attempts = item_attempt
      where status = 'STARTED' and worker = ${worker} and ${hasOwner(sql)}),
    lease as (
      insert into worker_leases (worker, valid_until, queued_job_ids)
      select ${worker}::text, clock_timestamp() + ${LEASE_SECONDS} * interval '1 second',
        coalesce(array_agg(id), '{}') from mine
      on conflict (worker) do update set valid_until = excluded.valid_until,
        queued_job_ids = excluded.queued_job_ids),
    free as (
      select q.id from mine m join queued_jobs q on q.id = m.id and q.attempts = m.attempts
      where m.lease_until < clock_timestamp() + ${ROW_LEASE_SECONDS / 2} * interval '1 second'
        and q.status = 'STARTED' and q.worker = ${worker} for no key update of q skip locked),
    longer as (update queued_jobs q set ${rowLease(sql)} from free where q.id = free.id)
    select id from mine`;
  return new Set(rows.map(({ id }) => id));
}
