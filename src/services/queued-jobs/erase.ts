import type { Sql } from "postgres";

export interface ErasedSlice {
  count: number;
  /** The last id; null when there was none. */
  last: string | null;
  /** Of files that have no row any more. */
  storageKeys: string[];
  /** Ids of those that were running. */
  running: string[];
}

export interface EraseQuery {
  userId: string;
  unfinished: boolean;
  afterId: string;
  limit: number;
}

/**
 * Deletes the next QueuedJobs of a closed account, with their outputs: no status is written, no event
 * recorded. A row that somebody has locked is left for later, so that nobody waits and nothing deadlocks.
 */
export async function eraseQueuedJobs(sql: Sql, { userId, unfinished, afterId, limit }: EraseQuery): Promise<ErasedSlice> {
  const [slice] = await sql<ErasedSlice[]>`
    with x as materialized (
      select id, status from queued_jobs
      where user_id = ${userId} and id > ${afterId} ${unfinished ? sql`and status in ('PENDING', 'STARTED')` : sql``}
      order by id limit ${limit} for update skip locked),
    o as (select o.storage_key from x join queued_job_outputs o on o.queued_job_id = x.id),
    d as (delete from queued_jobs where id = any(array(select id from x)) returning id)
    select count(*)::int as count, (array_agg(x.id::text order by x.id desc))[1] as last,
      coalesce((select array_agg(storage_key) from o), '{}') as "storageKeys",
      coalesce(array_agg(x.id::text) filter (where x.status = 'STARTED'), '{}') as running
    from x`;
  if (!slice) throw new Error("An aggregate gave no row");
  return slice;
}
