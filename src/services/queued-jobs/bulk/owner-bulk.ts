// Steps of an owner for all QueuedJobs that match a filter, in slices.
import type { Sql } from "postgres";
import { available } from "../../../db/database.js";
import { QuotaExceededError } from "../../../domain/errors.js";
import {
  FINISHED_STATUSES,
  TRANSITIONS,
  UNFINISHED_STATUSES,
  type QueuedJobStatus,
} from "../../../domain/queued-job-status.js";
import { hasTimeFor } from "../../../runtime/deadline.js";
import type { Committer } from "../commit.js";
import type { AcceptLimits } from "../insert.js";
import type { Remover } from "../remove.js";
import { filterCondition, finish, type QueuedJobFilter, type Step } from "../statements.js";
import { transitionMany } from "../transition.js";
import { chooseRetryable, isOutrun, retry, retryMany, type ReadRow } from "./retry-rows.js";

export interface OwnerBulkDeps {
  sql: Sql;
  committer: Committer;
  remover: Remover;
  limits: AcceptLimits;
  ttlSeconds: number;
}

/** Maximum QueuedJobs per bulk call. */
const MAX_BULK = 1000;
/** Maximum rows per statement. */
const BATCH_SIZE = 100;
/** Time that a slice may take. With less time left, a request starts no further slice. */
const SLICE_MS = 5000;

export function createOwnerBulk(deps: OwnerBulkDeps) {
  const { sql, committer, remover, ttlSeconds } = deps;

  const oldest = (userId: string, filter: QueuedJobFilter, statuses: readonly QueuedJobStatus[]) =>
    available(() => findOldest(sql, { userId, filter, statuses, limit: MAX_BULK }));

  return {
    /**
     * Cancels the oldest 1,000 QueuedJobs of this user that match the filter; returns the number
     * cancelled.
     */
    async cancelMany(userId: string, filter: QueuedJobFilter): Promise<number> {
      let count = 0;
      for (const rows of slicesOf(await oldest(userId, filter, UNFINISHED_STATUSES))) {
        const ids = rows.map(({ id }) => id);
        const steps = await committer.commit({
          step: "cancel",
          write: () => cancelMany(sql, { ids, ttlSeconds }),
          eventsOf: (cancelled) => cancelled,
        });
        committer.logSteps(steps, "cancel");
        count += countSteps(steps);
      }
      return count;
    },

    /**
     * Retries the oldest 1,000 QueuedJobs of this user that match the filter, except those whose
     * photo is gone; returns the number retried. Throws QuotaExceededError if there is no room for
     * the first one.
     */
    async retryMany(userId: string, filter: QueuedJobFilter): Promise<number> {
      let count = 0;
      for (const rows of slicesOf(await oldest(userId, filter, TRANSITIONS.retry.from))) {
        if (!hasTimeFor(SLICE_MS)) break;
        const { steps, quota } = await retrySlice(deps, rows);
        committer.logSteps(steps, "retry");
        count += countSteps(steps);
        if (quota && count === 0) throw quota;
        if (quota) break;
      }
      return count;
    },

    /**
     * Deletes the oldest 1,000 QueuedJobs of this user that match the filter; returns the number
     * deleted.
     */
    removeMany: async (userId: string, filter: QueuedJobFilter): Promise<number> =>
      remover.many(await oldest(userId, filter, FINISHED_STATUSES)),
  };
}

function* slicesOf(rows: readonly ReadRow[]): Generator<ReadRow[]> {
  for (let i = 0; i < rows.length; i += BATCH_SIZE) yield rows.slice(i, i + BATCH_SIZE);
}

function countSteps(steps: readonly (Step | null)[]): number {
  return steps.filter((step) => step !== null).length;
}

interface RetriedSlice {
  steps: (Step | null)[];
  /** The quota that ended the slice early. */
  quota: QuotaExceededError | null;
}

/** Retries a slice in one statement. When it was outrun, retries its rows one by one. */
async function retrySlice(
  { sql, committer, limits }: OwnerBulkDeps,
  rows: readonly ReadRow[],
): Promise<RetriedSlice> {
  const commit = (write: () => Promise<(Step | null)[]>) =>
    committer.commit({ step: "retry", write, eventsOf: (steps) => steps });
  const { chosen, quota } = await available(() => chooseRetryable(sql, rows, limits));
  if (chosen.length === 0) return { steps: [], quota };
  try {
    return { steps: await commit(() => retryMany(sql, { rows: chosen, limits })), quota };
  } catch (error) {
    if (!isOutrun(error)) throw error;
  }
  const steps: (Step | null)[] = [];
  try {
    for (const { id } of chosen)
      steps.push(...(await commit(async () => [await retry(sql, { id, ...limits })])));
    return { steps, quota };
  } catch (error) {
    if (error instanceof QuotaExceededError) return { steps, quota: error };
    throw error;
  }
}

/** Finds QueuedJobs of one user, oldest first. */
export function findOldest(
  sql: Sql,
  query: {
    userId: string;
    filter: QueuedJobFilter;
    statuses: readonly QueuedJobStatus[];
    limit: number;
  },
): Promise<ReadRow[]> {
  return sql<ReadRow[]>`
    select t.id, t.version from queued_jobs t
    where t.user_id = ${query.userId} and t.status = any(${[...query.statuses]})
      ${filterCondition(sql, query.filter)}
    order by t.id limit ${query.limit}`;
}

/** PENDING or STARTED → CANCELLED for several rows in one statement. */
export function cancelMany(
  sql: Sql,
  {
    ids,
    ttlSeconds,
    skipLocked,
    grouped,
  }: { ids: string[]; ttlSeconds: number; skipLocked?: true; grouped?: true },
): Promise<(Step | null)[]> {
  return transitionMany(sql, {
    step: "cancel",
    ids,
    grouped,
    ttlSeconds,
    set: finish(sql, ttlSeconds),
    pending: -1,
    ...(skipLocked && { skipLocked }),
  });
}
