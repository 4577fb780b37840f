// Erases the QueuedJobs of a closed account.
import type { Sql } from "postgres";

export interface ErasedSlice {
  count: number;
  /** The last id; null when no row was found. */
  last: string | null;
  /** Keys of files that no longer have a row. */
  storageKeys: string[];
  /** Ids of QueuedJobs that were running. */
  running: string[];
}

export interface EraseQuery {
  userId: string;
  /** Position to start after; null for unfinished ones, of which few exist at any time. */
  afterId: string | null;
  limit: number;
}

/**
 * Deletes the next QueuedJobs of a closed account with their outputs, without a status or an event.
 * Locked rows are left for later, so that nothing waits or deadlocks. Outputs are read row by row
 * (lateral), because the plan of a join may read the whole table.
 */
export async function eraseQueuedJobs(
  sql: Sql,
  { userId, afterId, limit }: EraseQuery,
): Promise<ErasedSlice> {
  const next =
    afterId === null
      ? sql`status in ('PENDING', 'STARTED') order by priority`
      : sql`id > ${afterId} order by id`;
  const [slice] = await sql<ErasedSlice[]>`
    with x as materialized (
      select id, status from queued_jobs where user_id = ${userId} and ${next} limit ${limit}
        for update skip locked),
    o as (
      select o.storage_key from x cross join lateral (
        select storage_key from queued_job_outputs where queued_job_id = x.id offset 0) o),
    d as (delete from queued_jobs where id = any(array(select id from x)))
    select count(*)::int as count, (array_agg(x.id::text order by x.id desc))[1] as last,
      coalesce((select array_agg(storage_key) from o), '{}') as "storageKeys",
      coalesce(array_agg(x.id::text) filter (where x.status = 'STARTED'), '{}') as running
    from x`;
  if (!slice) throw new Error("An aggregate returned no row");
  return slice;
}
