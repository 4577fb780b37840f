// Accepts a group: all of its jobs or none.
import type { Sql } from "postgres";
import { available } from "../../../db/database.js";
import { IdempotencyConflictError, ServiceUnavailableError } from "../../../domain/errors.js";
import { isStorable } from "../../../domain/is-storable.js";
import type { JobGroup } from "../../../domain/job-group.js";
import { noTracer } from "../../../runtime/tracer.js";
import { sameArguments } from "../check-submission.js";
import { DATABASE } from "../commit.js";
import { checkPhotosExist, TRIES, tryInsert, type EnqueueDeps } from "../enqueue.js";
import { liveGroupJson } from "../statements.js";
import { checkGroup, type GroupSubmission } from "./check-group.js";

export interface GroupRequest {
  submission: GroupSubmission;
  requestId: string;
}

export function createEnqueueGroup(deps: EnqueueDeps) {
  const { committer, tracer = noTracer } = deps;
  /**
   * A repeated key returns the first group of that key as it is now. Throws InvalidInputError with
   * all faults, IdempotencyConflictError and QuotaExceededError.
   */
  return (userId: string, request: GroupRequest): Promise<JobGroup> =>
    tracer.span("record enqueue group", DATABASE, async () => {
      const accepted = await enqueueGroup(deps, userId, request, tracer.carry());
      committer.logSteps(accepted.steps, "enqueue");
      return accepted.group;
    });
}

async function enqueueGroup(
  { sql, submittable, insert, limits }: EnqueueDeps,
  userId: string,
  { submission, requestId }: GroupRequest,
  traceparent: string | undefined,
) {
  const tasks = await Promise.all(submission.jobs.map(({ job }) => submittable(job)));
  const { group, items } = checkGroup(submission, tasks);
  const unit = { userId, requestId, traceparent, group, items };
  const at = (i: number) => ["jobs", i];
  for (let tries = 0; tries < TRIES; tries++) {
    const earlier = await findByKey(sql, userId, group.idempotencyKey);
    if (earlier) return { group: sameGroup(earlier, group), steps: [] };
    await checkPhotosExist(sql, userId, items, () => true, at);
    const steps = await tryInsert({ sql, insert, limits }, unit);
    const accepted = steps?.[0]?.queuedJob.member?.group;
    if (steps && accepted) return { group: accepted, steps };
  }
  throw new ServiceUnavailableError(
    "Other requests are using the same idempotency key or photos at the moment; try again.",
  );
}

interface EarlierGroup {
  fingerprint: string;
  group: JobGroup;
}

async function findByKey(
  sql: Sql,
  userId: string,
  key: string | null,
): Promise<EarlierGroup | null> {
  if (key === null || !isStorable(key)) return null;
  const [row] = await available(
    () => sql<EarlierGroup[]>`
    select g.fingerprint, ${liveGroupJson(sql)} as "group" from job_groups g
    where g.user_id = ${userId} and g.idempotency_key = ${key} and g.deleted_at is null`,
  );
  return row ?? null;
}

function sameGroup(
  earlier: EarlierGroup,
  { fingerprint, idempotencyKey }: { fingerprint: string | null; idempotencyKey: string | null },
): JobGroup {
  if (sameArguments(earlier.fingerprint, fingerprint ?? "")) return earlier.group;
  throw new IdempotencyConflictError(
    `The idempotency key "${idempotencyKey}" was used with other arguments; use a new key.`,
  );
}
