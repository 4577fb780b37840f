// FAILED or CANCELLED → PENDING, as after a submission, except that attempts and version stay.
import type { Fragment, Sql } from "postgres";
import { sqlState } from "../../../db/database.js";
import { GROUP_GONE, OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../../db/refusals.js";
import type { QuotaExceededError } from "../../../domain/errors.js";
import { quotaExceeded } from "../../photos/quota-exceeded.js";
import { lacksSource } from "../groups/handed-pictures.js";
import type { AcceptLimits } from "../insert.js";
import type { Step } from "../statements.js";
import { transition, transitionMany } from "../transition.js";

/** A row at the version that was read. */
export interface ReadRow {
  id: string;
  version: number;
}

/** Checks the room for events by a plain read, because a refused statement leaves dead rows. */
export function hasRoom(sql: Sql, maxRecordedBytes: number): Fragment {
  return sql`exists (
    select from user_streams u
    where u.user_id = queued_jobs.user_id and u.recorded_bytes < ${maxRecordedBytes})`;
}

function reset(sql: Sql): Fragment {
  return sql`, run = run + 1, failures = 0, stalls = 0, progress = 0, progress_message = null,
    result = null, error_code = null, error_message = null,
    run_at = null, started_at = null, finished_at = null, expires_at = null`;
}

/**
 * Retries one row. Null when it is not FAILED or CANCELLED, or when a photo is gone. Throws
 * QuotaExceededError.
 */
export async function retry(
  sql: Sql,
  { id, maxPending, maxRecordedBytes, grouped }: { id: string; grouped?: boolean } & AcceptLimits,
): Promise<Step | null> {
  try {
    return await transition(sql, {
      step: "retry",
      id,
      grouped,
      where: sql`id = ${id} and ${hasRoom(sql, maxRecordedBytes)}`,
      set: reset(sql),
      pending: 1,
      maxPending,
      maxRecordedBytes,
      needsPhotos: true,
    });
  } catch (error) {
    if ([PHOTO_GONE, GROUP_GONE].includes(sqlState(error) ?? "")) return null;
    throw quotaOf(error, { maxPending, maxRecordedBytes }) ?? error;
  }
}

export function quotaOf(error: unknown, limits: AcceptLimits): QuotaExceededError | null {
  const state = sqlState(error);
  if (state === OVER_QUOTA) return quotaExceeded.unfinished(limits.maxPending);
  return state === OVER_RECORDED ? quotaExceeded.recordedBytes(limits.maxRecordedBytes) : null;
}

/** True if another process took the room or deleted a photo after it was read. */
export function isOutrun(error: unknown): boolean {
  return [OVER_QUOTA, OVER_RECORDED, PHOTO_GONE, GROUP_GONE].includes(sqlState(error) ?? "");
}

/**
 * Retries rows that are unchanged since they were read, all in one statement. It fails as a whole
 * when one owner exceeds a limit or when a photo is gone, so `chooseRetryable` comes first.
 */
export function retryMany(
  sql: Sql,
  {
    rows,
    limits,
    skipLocked,
    grouped,
  }: { rows: readonly ReadRow[]; limits: AcceptLimits } & {
    skipLocked?: true;
    grouped?: true;
  },
): Promise<(Step | null)[]> {
  return transitionMany(sql, {
    step: "retry",
    ids: rows.map(({ id }) => id),
    more: { arrays: sql`${rows.map(({ version }) => version)}::int[]`, columns: sql`item_version` },
    where: sql`version = i.item_version`,
    set: reset(sql),
    pending: 1,
    maxPending: limits.maxPending,
    maxRecordedBytes: limits.maxRecordedBytes,
    grouped,
    needsPhotos: true,
    ...(skipLocked && { skipLocked }),
  });
}

interface RetryableRow extends ReadRow {
  userId: string;
  hasPhotos: boolean;
  /** Number of further unfinished QueuedJobs that the owner may have. */
  room: number;
  /** True if the owner's recorded bytes leave no room. */
  full: boolean;
}

export interface RetryChoice {
  chosen: ReadRow[];
  /** Ids of rows whose photo was deleted. */
  photoGone: string[];
  /** Ids of rows for which their owner has no room. */
  noRoom: string[];
  /** The quota that left no room; null if there was room for all. */
  quota: QuotaExceededError | null;
}

/** Chooses the rows that can be retried, by a plain read; the statement checks them again. */
export async function chooseRetryable(
  sql: Sql,
  rows: readonly ReadRow[],
  limits: AcceptLimits,
): Promise<RetryChoice> {
  const choice: RetryChoice = { chosen: [], photoGone: [], noRoom: [], quota: null };
  const rooms = new Map<string, number>();
  for (const row of await readRetryable(sql, rows, limits)) {
    const room = rooms.get(row.userId) ?? row.room;
    if (!row.hasPhotos) choice.photoGone.push(row.id);
    else if (row.full || room <= 0) {
      choice.noRoom.push(row.id);
      choice.quota ??= row.full
        ? quotaExceeded.recordedBytes(limits.maxRecordedBytes)
        : quotaExceeded.unfinished(limits.maxPending);
    } else {
      rooms.set(row.userId, room - 1);
      choice.chosen.push({ id: row.id, version: row.version });
    }
  }
  return choice;
}

/** A deleted photo takes its links with it, so links are counted. */
function readRetryable(
  sql: Sql,
  rows: readonly ReadRow[],
  { maxPending, maxRecordedBytes }: AcceptLimits,
): Promise<RetryableRow[]> {
  return sql<RetryableRow[]>`
    select q.id, i.item_version as version, q.user_id as "userId",
      q.photo_count = (select count(*) from queued_job_photos l where l.queued_job_id = q.id)
        and not ${lacksSource(sql)} as "hasPhotos",
      ${maxPending} - u.pending as room, u.recorded_bytes >= ${maxRecordedBytes} as full
    from unnest(${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ version }) => version)}::int[])
      as i(item_id, item_version)
    join queued_jobs q on q.id = i.item_id join user_streams u on u.user_id = q.user_id
    order by q.id`;
}
