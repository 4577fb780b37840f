// The steps that an owner (or an admin) makes.
import type { Fragment, Sql } from "postgres";
import { available, sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../db/refusals.js";
import { ConflictError, type QuotaExceededError } from "../../domain/errors.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import { quotaExceeded } from "../photos/quota-exceeded.js";
import type { AcceptLimits } from "./insert-units.js";
import { finish, transition, type Step } from "./statements.js";
import { transitionMany } from "./transition-many.js";

/**
 * PENDING or STARTED → CANCELLED, at once; what the task still produces is refused by the fence.
 */
export function cancel(
  sql: Sql,
  { id, ttlSeconds }: { id: string; ttlSeconds: number },
): Promise<Step | null> {
  return transition(sql, {
    step: "cancel",
    where: sql`id = ${id}`,
    set: finish(sql, ttlSeconds),
    pending: -1,
  });
}

/** `cancel` of several, all in one statement. */
export function cancelMany(
  sql: Sql,
  { ids, ttlSeconds }: { ids: string[]; ttlSeconds: number },
): Promise<(Step | null)[]> {
  return transitionMany(sql, { step: "cancel", ids, set: finish(sql, ttlSeconds), pending: -1 });
}

/** Whether the owner has room for events, by a plain read: a refused statement leaves dead rows. */
function hasRoom(sql: Sql, maxRecordedBytes: number): Fragment {
  return sql`exists (
    select from user_streams u
    where u.user_id = queued_jobs.user_id and u.recorded_bytes < ${maxRecordedBytes})`;
}

/**
 * FAILED or CANCELLED → PENDING, as if it had just been submitted, but with its number of attempts
 * and its version.
 */
export async function retry(
  sql: Sql,
  { id, maxPending, maxRecordedBytes }: { id: string } & AcceptLimits,
): Promise<Step | null> {
  try {
    return await transition(sql, {
      step: "retry",
      where: sql`id = ${id} and ${hasRoom(sql, maxRecordedBytes)}`,
      set: sql`, run = run + 1, failures = 0, stalls = 0, progress = 0, progress_message = null,
        result = null, error_code = null, error_message = null,
        run_at = null, due_at = now(), started_at = null, finished_at = null, expires_at = null`,
      pending: 1,
      maxPending,
      maxRecordedBytes,
      needsPhotos: true,
    });
  } catch (error) {
    if (sqlState(error) === PHOTO_GONE) return null;
    if (sqlState(error) === OVER_QUOTA) throw quotaExceeded.unfinished(maxPending);
    if (sqlState(error) === OVER_RECORDED) throw quotaExceeded.recordedBytes(maxRecordedBytes);
    throw error;
  }
}

/** Why a retry found no row, as the row is now. */
export async function refuseRetry(
  sql: Sql,
  queuedJob: QueuedJob,
  maxRecordedBytes: number,
): Promise<ConflictError | QuotaExceededError> {
  if (queuedJob.status !== "FAILED" && queuedJob.status !== "CANCELLED")
    return new ConflictError(
      `It is ${queuedJob.status}: only a FAILED or CANCELLED one can be sent again.`,
    );
  const room = hasRoom(sql, maxRecordedBytes);
  const rows = await available(
    () => sql`select from queued_jobs where id = ${queuedJob.id} and ${room}`,
  );
  if (rows.length === 0) return quotaExceeded.recordedBytes(maxRecordedBytes);
  return new ConflictError("A photo that it needs was deleted.");
}
