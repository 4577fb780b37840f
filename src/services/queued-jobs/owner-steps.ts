// The steps that an owner (or an admin) makes.
import type { Sql } from "postgres";
import { sqlState } from "../../db/database.js";
import { OVER_QUOTA, PHOTO_GONE } from "../../db/refusals.js";
import { ConflictError } from "../../errors.js";
import { FINISHED_STATUSES } from "../../queued-job-status.js";
import type { QueuedJob } from "../../queued-job.js";
import { quotaExceeded } from "../quota-exceeded.js";
import { finish, queuedJobJson, transition } from "./statements.js";
import type { Step } from "./statements.js";
import { transitionMany } from "./transition-many.js";

/** PENDING or STARTED → CANCELLED, at once; what the task still produces is refused by the fence. */
export function cancel(sql: Sql, { id, ttlSeconds }: { id: string; ttlSeconds: number }): Promise<Step | null> {
  return transition(sql, { step: "cancel", where: sql`id = ${id}`, set: finish(sql, ttlSeconds), pending: -1 });
}

/** `cancel` of several, all in one statement. */
export function cancelMany(sql: Sql, { ids, ttlSeconds }: { ids: string[]; ttlSeconds: number }): Promise<(Step | null)[]> {
  return transitionMany(sql, { step: "cancel", ids, set: finish(sql, ttlSeconds), pending: -1 });
}

/** FAILED or CANCELLED → PENDING, as if it had just been submitted, but with its number of attempts and its version. */
export async function retry(sql: Sql, { id, maxPending }: { id: string; maxPending: number }): Promise<Step | null> {
  try {
    return await transition(sql, {
      step: "retry",
      where: sql`id = ${id}`,
      set: sql`, run = run + 1, failures = 0, stalls = 0, progress = 0, progress_message = null, result = null, error_code = null, error_message = null,
        run_at = null, due_at = now(), started_at = null, finished_at = null, expires_at = null`,
      pending: 1,
      maxPending,
      needsPhotos: true,
    });
  } catch (error) {
    if (sqlState(error) === PHOTO_GONE) return null;
    if (sqlState(error) === OVER_QUOTA) throw quotaExceeded.unfinished(maxPending);
    throw error;
  }
}

/** Why a step that was guarded found no row, as the row is now. */
export function refuseRetry(queuedJob: QueuedJob): ConflictError {
  if (queuedJob.status !== "FAILED" && queuedJob.status !== "CANCELLED") return new ConflictError(`It is ${queuedJob.status}: only a FAILED or CANCELLED one can be sent again.`);
  return new ConflictError("A photo that it needs was deleted.");
}

export interface Removed extends Step {
  /** Of the files that went with it. */
  storageKeys: string[];
}

/** A finished one at the version that was read: row, events and outputs go, and DELETED is the one event that is left. */
export async function remove(sql: Sql, { id, version }: { id: string; version: number }): Promise<Removed | null> {
  const [removed] = await sql<Removed[]>`
    with o as (select coalesce(array_agg(storage_key), '{}') as keys, coalesce(sum(byte_size), 0)::bigint as bytes from queued_job_outputs where queued_job_id = ${id}),
    d as (delete from queued_jobs where id = ${id} and version = ${version} and status = any(${[...FINISHED_STATUSES]}) returning *),
    t as (select d.*, d.version + 1 as next_version from d),
    x as (delete from queued_job_events q using d where q.queued_job_id = d.id and q.user_id = d.user_id),
    s as (update user_streams u set last_seq = u.last_seq + 1, stored_bytes = u.stored_bytes - o.bytes from d, o where u.user_id = d.user_id returning u.last_seq, u.pending),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select t.user_id, s.last_seq, t.id, 'DELETED', now(), ${queuedJobJson(sql, sql`'[]'::jsonb`)} || jsonb_build_object('version', t.next_version) from t, s
      returning seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob", t.run, t.failures, t.stalls, t.request_id as "requestId", s.pending, o.keys as "storageKeys"
    from t, s, e, o`;
  return removed ?? null;
}
