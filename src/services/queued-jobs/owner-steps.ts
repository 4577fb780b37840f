// Steps of an owner or an admin, for one QueuedJob.
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { ConflictError, NotFoundError, type QuotaExceededError } from "../../domain/errors.js";
import { isFinished } from "../../domain/queued-job-status.js";
import { isGrouped, withParameters, type QueuedJob } from "../../domain/queued-job.js";
import { quotaExceeded } from "../photos/quota-exceeded.js";
import type { User } from "../users/users.js";
import type { Committer } from "./commit.js";
import type { AcceptLimits } from "./insert.js";
import type { Remover } from "./remove.js";
import { hasRoom, retry } from "./bulk/retry-rows.js";
import { isNeeded, lacksSource } from "./groups/handed-pictures.js";
import { finish, queuedJobJson, recordedOutputs, type Step } from "./statements.js";
import { transition } from "./transition.js";

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
      const { parameters, ...before } = await get(actor, id);
      const one = { id, ttlSeconds, grouped: isGrouped(before) };
      const step = await committer.commitOne("cancel", () => cancel(sql, one));
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
      const { parameters, ...before } = await get(actor, id);
      const one = { id, ...limits, grouped: isGrouped(before) };
      if (one.grouped && (await isWithoutSource(sql, id))) throw photoGone();
      const step = await committer.commitOne("retry", () => retry(sql, one));
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
        if (isGrouped(queuedJob) && (await isNeeded(sql, id)))
          throw new ConflictError(
            "An unfinished QueuedJob needs the outputs of this one: cancel that one first.",
          );
        if (await remover.one(queuedJob)) return;
      }
    },
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

/** PENDING or STARTED → CANCELLED, at once. The fence refuses what the task still produces. */
function cancel(
  sql: Sql,
  { id, ttlSeconds, grouped }: { id: string; ttlSeconds: number; grouped: boolean },
): Promise<Step | null> {
  return transition(sql, {
    step: "cancel",
    id,
    grouped,
    ttlSeconds,
    where: sql`id = ${id}`,
    set: finish(sql, ttlSeconds),
    pending: -1,
  });
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
  return photoGone();
}

async function isWithoutSource(sql: Sql, id: string): Promise<boolean> {
  const rows = await available(
    () => sql`select from queued_jobs q where q.id = ${id} and ${lacksSource(sql)}`,
  );
  return rows.length > 0;
}

function photoGone(): ConflictError {
  return new ConflictError(
    "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob.",
  );
}
