// Steps of an owner or an admin, for one QueuedJob or for all that match a filter.
import type { Fragment, Sql } from "postgres";
import { available, sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../db/refusals.js";
import { ConflictError, NotFoundError, type QuotaExceededError } from "../../domain/errors.js";
import {
  FINISHED_STATUSES,
  UNFINISHED_STATUSES,
  isFinished,
  type QueuedJobStatus,
} from "../../domain/queued-job-status.js";
import { withParameters, type QueuedJob } from "../../domain/queued-job.js";
import { quotaExceeded } from "../photos/quota-exceeded.js";
import type { User } from "../users/users.js";
import type { Committer } from "./commit.js";
import type { AcceptLimits } from "./insert.js";
import type { Remover } from "./remove.js";
import {
  filterCondition,
  finish,
  queuedJobJson,
  recordedOutputs,
  type QueuedJobFilter,
  type Step,
} from "./statements.js";
import { transition, transitionMany } from "./transition.js";

export interface OwnerStepsDeps {
  sql: Sql;
  committer: Committer;
  remover: Remover;
  limits: AcceptLimits;
  ttlSeconds: number;
}

export function createOwnerSteps(deps: OwnerStepsDeps) {
  const { sql, committer, remover, limits, ttlSeconds } = deps;

  async function get(actor: User, id: string): Promise<QueuedJob> {
    const queuedJob = await findQueuedJob(sql, actor, id);
    if (!queuedJob) throw new NotFoundError("There is no such QueuedJob.");
    return queuedJob;
  }

  return {
    /**
     * Succeeds again on a cancelled QueuedJob. Throws NotFoundError, and ConflictError when it has
     * finished in another status.
     */
    async cancel(actor: User, id: string): Promise<QueuedJob> {
      const { parameters } = await get(actor, id);
      const step = await committer.commitOne("cancel", () => cancel(sql, { id, ttlSeconds }));
      if (step) return withParameters(step.queuedJob, parameters);
      const now = await get(actor, id);
      if (now.status !== "CANCELLED")
        throw new ConflictError(
          `The QueuedJob is ${now.status}: only a PENDING or STARTED one can be cancelled.`,
        );
      return now;
    },

    /**
     * Throws NotFoundError, QuotaExceededError, and ConflictError when the QueuedJob is not FAILED
     * or CANCELLED or when a photo was deleted.
     */
    async retry(actor: User, id: string): Promise<QueuedJob> {
      const { parameters } = await get(actor, id);
      const step = await committer.commitOne("retry", () => retry(sql, { id, ...limits }));
      if (!step) throw await refuseRetry(sql, await get(actor, id), limits.maxRecordedBytes);
      return withParameters(step.queuedJob, parameters);
    },

    /** Throws NotFoundError, and ConflictError for an unfinished QueuedJob. */
    async remove(actor: User, id: string): Promise<void> {
      for (;;) {
        const queuedJob = await get(actor, id);
        if (!isFinished(queuedJob.status))
          throw new ConflictError(
            `The QueuedJob is ${queuedJob.status}: cancel it before you delete it.`,
          );
        if (await remover.one(queuedJob)) return;
      }
    },
  };
}

/** Maximum QueuedJobs per bulk call. */
const MAX_BULK = 1000;
/** Maximum rows per statement. */
const BATCH_SIZE = 100;

export function createBulkSteps({
  sql,
  committer,
  remover,
  ttlSeconds,
}: Omit<OwnerStepsDeps, "limits">) {
  return {
    /**
     * Cancels the oldest 1,000 QueuedJobs of this user that match the filter; returns the number
     * cancelled.
     */
    async cancelMany(userId: string, filter: QueuedJobFilter): Promise<number> {
      const unfinished = await available(() =>
        findOldest(sql, { userId, filter, statuses: UNFINISHED_STATUSES, limit: MAX_BULK }),
      );
      let count = 0;
      for (let i = 0; i < unfinished.length; i += BATCH_SIZE) {
        const ids = unfinished.slice(i, i + BATCH_SIZE).map(({ id }) => id);
        const steps = await committer.commit({
          step: "cancel",
          write: () => cancelMany(sql, { ids, ttlSeconds }),
          eventsOf: (cancelled) => cancelled,
        });
        committer.logSteps(steps, "cancel");
        count += steps.filter((step) => step !== null).length;
      }
      return count;
    },

    /**
     * Deletes the oldest 1,000 QueuedJobs of this user that match the filter; returns the number
     * deleted.
     */
    removeMany: async (userId: string, filter: QueuedJobFilter): Promise<number> =>
      remover.many(
        await available(() =>
          findOldest(sql, { userId, filter, statuses: FINISHED_STATUSES, limit: MAX_BULK }),
        ),
      ),
  };
}

/**
 * Returns the row to its owner and to admins. For others, a foreign QueuedJob looks like a missing
 * one.
 */
export async function findQueuedJob(
  sql: Sql,
  actor: Pick<User, "id" | "role">,
  id: string,
): Promise<QueuedJob | null> {
  const [row] = await available(
    () =>
      sql<
        { queuedJob: QueuedJob }[]
      >`select ${queuedJobJson(sql, recordedOutputs(sql))} as "queuedJob" from queued_jobs t
          where t.id = ${id}`,
  );
  return row && (row.queuedJob.userId === actor.id || actor.role === "ADMIN")
    ? row.queuedJob
    : null;
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
): Promise<{ id: string; version: number }[]> {
  return sql<{ id: string; version: number }[]>`
    select t.id, t.version from queued_jobs t
    where t.user_id = ${query.userId} and t.status = any(${[...query.statuses]})
      ${filterCondition(sql, query.filter)}
    order by t.id limit ${query.limit}`;
}

/** PENDING or STARTED → CANCELLED, at once. The fence refuses what the task still produces. */
function cancel(
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

/** Does `cancel` for several rows in one statement. */
export function cancelMany(
  sql: Sql,
  { ids, ttlSeconds }: { ids: string[]; ttlSeconds: number },
): Promise<(Step | null)[]> {
  return transitionMany(sql, { step: "cancel", ids, set: finish(sql, ttlSeconds), pending: -1 });
}

/** Checks the room for events by a plain read, because a refused statement leaves dead rows. */
function hasRoom(sql: Sql, maxRecordedBytes: number): Fragment {
  return sql`exists (
    select from user_streams u
    where u.user_id = queued_jobs.user_id and u.recorded_bytes < ${maxRecordedBytes})`;
}

/**
 * FAILED or CANCELLED → PENDING, as after a new submission, except that attempts and version stay.
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

/** Returns the reason why a retry changed no row. */
async function refuseRetry(
  sql: Sql,
  queuedJob: QueuedJob,
  maxRecordedBytes: number,
): Promise<ConflictError | QuotaExceededError> {
  if (queuedJob.status !== "FAILED" && queuedJob.status !== "CANCELLED")
    return new ConflictError(
      `The QueuedJob is ${queuedJob.status}: only a FAILED or CANCELLED one can be retried.`,
    );
  const room = hasRoom(sql, maxRecordedBytes);
  const rows = await available(
    () => sql`select from queued_jobs where id = ${queuedJob.id} and ${room}`,
  );
  if (rows.length === 0) return quotaExceeded.recordedBytes(maxRecordedBytes);
  return new ConflictError(
    "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob.",
  );
}
