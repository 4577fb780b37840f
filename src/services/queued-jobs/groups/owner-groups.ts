// Steps of an owner or an admin, for a whole group.
import type { Sql } from "postgres";
import { available, sqlState } from "../../../db/database.js";
import { GROUP_GONE, PHOTO_GONE } from "../../../db/refusals.js";
import { ConflictError, NotFoundError } from "../../../domain/errors.js";
import { jobGroupStatus, type JobGroup } from "../../../domain/job-group.js";
import { TRANSITIONS } from "../../../domain/queued-job-status.js";
import type { User } from "../../users/users.js";
import { quotaOf, retryMany, type ReadRow } from "../bulk/retry-rows.js";
import type { OwnerStepsDeps } from "../owner-steps.js";
import { liveGroupJson } from "../statements.js";
import { markGroup } from "./cancel-marked.js";
import { lacksSource } from "./handed-pictures.js";
import { createGroupRemover } from "./remove-groups.js";

export function createOwnerGroups(deps: OwnerStepsDeps) {
  const { sql, committer } = deps;
  const remover = createGroupRemover(deps);

  async function get(actor: User, id: string): Promise<JobGroup> {
    const group = await findGroup(sql, actor, id);
    if (!group) throw new NotFoundError("There is no such JobGroup.");
    return group;
  }

  return {
    /**
     * Returns the group to its owner and to admins. For others, a foreign one looks like a missing
     * one.
     */
    findGroup: (actor: Pick<User, "id" | "role">, id: string) => findGroup(sql, actor, id),

    /** Cancels what is unfinished; a finished group stays as it is. Throws NotFoundError. */
    async cancelGroup(actor: User, id: string): Promise<JobGroup> {
      await get(actor, id);
      if (await available(() => markGroup(sql, id))) await committer.cancelMarked([id]);
      return get(actor, id);
    },

    /**
     * Retries what FAILED or was CANCELLED, in one statement. Throws NotFoundError,
     * QuotaExceededError, and ConflictError for another status or when a photo was deleted.
     */
    async retryGroup(actor: User, id: string): Promise<JobGroup> {
      const status = jobGroupStatus(await get(actor, id));
      if (status !== "FAILED" && status !== "CANCELLED")
        throw new ConflictError(
          `The JobGroup is ${status}: only a FAILED or CANCELLED one can be retried.`,
        );
      await retryMembers(deps, id);
      return get(actor, id);
    },

    /** Throws NotFoundError, and ConflictError while the group runs. */
    async removeGroup(actor: User, id: string): Promise<void> {
      await get(actor, id);
      if (!(await remover.one(id)))
        throw new ConflictError("The JobGroup is RUNNING: cancel it before you delete it.");
    },

    /** Removes at most `limit` members of expired or deleted groups; returns their number. */
    removeExpiredGroups: (limit: number): Promise<number> => remover.expired(limit),

    /** Cancels rows that are marked for it and were left; returns their number. */
    cancelMarked: (): Promise<number> => committer.cancelMarked(null),
  };
}

async function retryMembers(
  { sql, committer, limits }: OwnerStepsDeps,
  groupId: string,
): Promise<void> {
  const { rows, lacksPhotos } = await available(() => readRetryable(sql, groupId));
  if (lacksPhotos || rows.length === 0) throw photoGone();
  const steps = await committer
    .commit({
      step: "retry",
      write: () => retryMany(sql, { rows, limits, grouped: true }),
      eventsOf: (retried) => retried,
    })
    .catch((error: unknown) => {
      throw refusalOf(error) ?? quotaOf(error, limits) ?? error;
    });
  committer.logSteps(steps, "retry");
}

function photoGone(): ConflictError {
  return new ConflictError(
    "A photo or an output that this JobGroup needs was deleted: submit a new JobGroup.",
  );
}

function refusalOf(error: unknown): ConflictError | NotFoundError | null {
  const state = sqlState(error);
  if (state === PHOTO_GONE) return photoGone();
  return state === GROUP_GONE ? new NotFoundError("There is no such JobGroup.") : null;
}

async function findGroup(
  sql: Sql,
  actor: Pick<User, "id" | "role">,
  id: string,
): Promise<JobGroup | null> {
  const [row] = await available(
    () => sql<{ group: JobGroup }[]>`
    select ${liveGroupJson(sql)} as "group" from job_groups g
    where g.id = ${id} and g.deleted_at is null`,
  );
  return row && (row.group.userId === actor.id || actor.role === "ADMIN") ? row.group : null;
}

async function readRetryable(
  sql: Sql,
  groupId: string,
): Promise<{ rows: ReadRow[]; lacksPhotos: boolean }> {
  const rows = await sql<(ReadRow & { lacksSource: boolean })[]>`
    select q.id, q.version, ${lacksSource(sql)} as "lacksSource" from queued_jobs q
    where q.group_id = ${groupId} and q.status = any(${[...TRANSITIONS.retry.from]}) order by q.id`;
  return { rows, lacksPhotos: rows.some((row) => row.lacksSource) };
}
