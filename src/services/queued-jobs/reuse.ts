// Results that are taken over instead of doing the work again.
import type { Fragment, Sql } from "postgres";
import type { StoredOutput } from "../../domain/queued-job.js";
import type { Task } from "../../tasks/define-task.js";

/** An earlier success of the same work. */
export interface EarlierResult {
  /** The QueuedJob that had it. */
  id: string;
  result: unknown;
  /** Where its files lie, as long as it is not deleted. */
  outputs: StoredOutput[];
}

/**
 * The version that results of this task have, by which they are found again; null when they are
 * never reused.
 */
export function reusableVersion({
  maxPhotos,
  resultVersion = 1,
}: Pick<Task, "maxPhotos" | "resultVersion">): number | null {
  return maxPhotos > 0 ? resultVersion : null;
}

/**
 * Of the row `queued_jobs`: SHA-256 of all that its result depends on, hex; null where it has no
 * photo. Parameters have their defaults, and jsonb as text has one spelling.
 */
export function reuseKey(sql: Sql, version: number): Fragment {
  return sql`case when queued_jobs.photo_count > 0
    then encode(sha256(convert_to(jsonb_build_array(queued_jobs.job_name, ${version}::int,
    queued_jobs.parameters, (
    select jsonb_agg(l.photo_id order by l.position) from queued_job_photos l
      where l.queued_job_id = queued_jobs.id))::text, 'UTF8')), 'hex') end`;
}

/**
 * The newest of the same user, which stays the longest; null when there is none, or this one is to
 * be done afresh.
 */
export async function findEarlierResult(
  sql: Sql,
  { id, version }: { id: string; version: number },
): Promise<EarlierResult | null> {
  const [row] = await sql<EarlierResult[]>`
    select r.id, r.result, coalesce((
      select jsonb_agg(jsonb_build_object('name', o.name, 'mimeType', o.mime_type, 'byteSize',
        o.byte_size, 'width', o.width, 'height', o.height, 'storageKey', o.storage_key)
        order by o.position)
      from queued_job_outputs o where o.queued_job_id = r.id), '[]'::jsonb) as outputs
    from queued_jobs cross join lateral (
      select e.id, e.result from queued_jobs e where e.user_id = queued_jobs.user_id
        and e.reuse_key = ${reuseKey(sql, version)} order by e.id desc limit 1) r
    where queued_jobs.id = ${id} and not queued_jobs.fresh`;
  return row ?? null;
}
