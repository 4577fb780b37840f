// The statements of a batch on the row of its operation, and the search for the next rows.
import type { Fragment, Sql } from "postgres";
import type { Instant } from "../../domain/queued-job.js";
import type { Applied, BulkAction } from "../queued-jobs/bulk/operator-batch.js";
import type { ReadRow } from "../queued-jobs/bulk/retry-rows.js";
import { briefLocks } from "../queued-jobs/statements.js";
import {
  ANY_JOB,
  LOOKED_AT,
  lookAt,
  restColumns,
  restOf,
  type JobFilter,
} from "../reads/operator-search.js";
import { isUnsuccessful, statusOf } from "./operations.js";

export interface LockedOperation {
  id: string;
  action: BulkAction;
  filter: JobFilter;
  position: string;
  bound: string;
  done: number;
  skipped: Record<string, number>;
  /** Ids of rows that were locked and are visited again. */
  waiting: string[];
  createdAt: Instant;
}

/** Number of locked rows from which they are visited before any others. */
const MAX_WAITING = 1000;

/** True if only locked rows are left, or if there are too many of them. */
export function isAtEnd({ position, bound, waiting }: LockedOperation): boolean {
  return position === bound || waiting.length >= MAX_WAITING;
}

/**
 * Locks an operation that runs; null if it does not, or if another process works on it. Later
 * statements of the transaction wait only briefly for a lock.
 */
export async function lockOperation(tx: Sql, id: string): Promise<LockedOperation | null> {
  const [operation] = await tx<LockedOperation[]>`
    select id, action, filter, position, bound, done, skipped, waiting,
      rfc3339(created_at) as "createdAt"
    from operations where id = ${id} and state = 'RUNNING' and ${briefLocks(tx)}
    for no key update skip locked`;
  return operation && isUnderstood(operation.filter) ? operation : null;
}

/** A later release may record a condition that this one would ignore. */
function isUnderstood(filter: JobFilter): boolean {
  return Object.keys(filter).every((name) => name in ANY_JOB);
}

/** The next rows of an operation, and its position once they are done. */
export interface NextRows {
  rows: ReadRow[];
  position: string;
  /** Ids of waiting rows that were looked for. */
  revisited: string[];
}

/** A row that finished after the start of the operation was not part of what its operator saw. */
function matches(tx: Sql, { action, filter, createdAt }: LockedOperation): Fragment {
  const asSeen = action === "CANCEL" ? tx`` : tx`and t.finished_at < ${createdAt}::timestamptz`;
  return tx`${statusOf(tx, action)} ${asSeen} ${restOf(tx, filter)}
    and exists (select from user_streams u where u.user_id = t.user_id)`;
}

/** Finds at most `size` matching rows after the position. */
export async function findNext(
  tx: Sql,
  operation: LockedOperation,
  size: number,
): Promise<NextRows> {
  const { action, filter, position, bound } = operation;
  const looked = (columns: Fragment) =>
    lookAt(tx, filter, {
      columns,
      range: { after: position, upTo: bound },
      newestFirst: false,
      unsuccessful: isUnsuccessful(action, filter),
    });
  const columns = tx`id, version, user_id, finished_at, ${restColumns(tx)}`;
  const rows = await tx<ReadRow[]>`
    select t.id, t.version from (${looked(columns)}) t where ${matches(tx, operation)}
    order by t.id limit ${size}`;
  const found = { rows: [...rows], revisited: [] };
  const last = rows.at(-1);
  if (last && rows.length === size) return { ...found, position: last.id };
  const [end] = await tx<{ id: string }[]>`
    select id from (${looked(tx`id`)}) t order by id offset ${LOOKED_AT - 1} limit 1`;
  return { ...found, position: end?.id ?? bound };
}

/** Finds the next waiting rows that still match. */
export async function findWaiting(
  tx: Sql,
  operation: LockedOperation,
  size: number,
): Promise<NextRows> {
  const revisited = operation.waiting.slice(0, size);
  const rows = await tx<ReadRow[]>`
    select t.id, t.version from queued_jobs t
    where t.id = any(${revisited}::uuid[]) and ${matches(tx, operation)} order by t.id`;
  return { rows: [...rows], position: operation.position, revisited };
}

export interface RecordedBatch {
  done: number;
  skipped: number;
  /** False if nothing changed, because all rows are locked. */
  moved: boolean;
  ended: boolean;
}

/** Records the position and the counts after a batch, and the end of the operation. */
export async function recordBatch(
  tx: Sql,
  operation: LockedOperation,
  { rows, position, revisited, applied }: NextRows & { applied: Applied },
): Promise<RecordedBatch> {
  const refused = Object.entries(applied.refused);
  const settled = new Set([...applied.done, ...refused.flatMap(([, ids]) => ids)]);
  const locked = rows.flatMap(({ id }) => (settled.has(id) ? [] : [id]));
  const isListed = new Set(rows.map(({ id }) => id));
  // These rows were locked before and do not match any more.
  const changed = revisited.filter((id) => !isListed.has(id));
  const counts = [...refused, ["CHANGED", changed] as const];
  const skipped = { ...operation.skipped };
  for (const [code, { length }] of counts)
    if (length > 0) skipped[code] = (skipped[code] ?? 0) + length;
  const waiting = [...operation.waiting.slice(revisited.length), ...locked];
  const moved = position !== operation.position || locked.length < revisited.length;
  const ended = position === operation.bound && waiting.length === 0;
  await tx`
    update operations set position = ${position}, done = done + ${applied.done.length},
      skipped = ${JSON.stringify(skipped)}::jsonb, waiting = ${waiting}::uuid[],
      updated_at = case when ${moved} then clock_timestamp() else updated_at end,
      state = ${ended ? "FINISHED" : "RUNNING"},
      finished_at = case when ${ended} then clock_timestamp() end
    where id = ${operation.id}`;
  const refusedCount = counts.reduce((sum, [, { length }]) => sum + length, 0);
  return { done: applied.done.length, skipped: refusedCount, moved, ended };
}
