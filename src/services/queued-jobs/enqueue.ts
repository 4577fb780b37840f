import type { Sql } from "postgres";
import { available, sqlState, violatedConstraint } from "../../db/database.js";
import { ALREADY_THERE, OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import {
  IdempotencyConflictError,
  InvalidInputError,
  ServiceUnavailableError,
  type InputIssue,
  type QuotaExceededError,
} from "../../domain/errors.js";
import { withParameters, type QueuedJob } from "../../domain/queued-job.js";
import { failpoint } from "../../runtime/failpoint.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import type { Task } from "../../tasks/define-task.js";
import { quotaExceeded, whyNoRoom } from "../photos/quota-exceeded.js";
import {
  checkSubmission,
  sameArguments,
  toNewQueuedJob,
  type Submission,
} from "./check-submission.js";
import { DATABASE, type Committer } from "./commit.js";
import type { AcceptLimits, createInserter, NewQueuedJob, Unit } from "./insert.js";
import { bytesNeeded, queuedJobJson, recordedOutputs, type Step } from "./statements.js";

export interface EnqueueDeps {
  sql: Sql;
  committer: Committer;
  submittable(name: string): Task | null | Promise<Task | null>;
  limits: AcceptLimits;
  insert: ReturnType<typeof createInserter>;
  tracer?: Tracer;
}

export function createEnqueue(deps: EnqueueDeps) {
  const { committer, tracer = noTracer } = deps;

  /** Accepts 1 to 100 submissions of one user, all or none; `enqueue` below says what it throws. */
  return async (
    userId: string,
    request: { submissions: Submission[]; requestId: string; single: boolean },
  ): Promise<QueuedJob[]> => {
    await failpoint("accept: before the statement");
    const accepting = { ...request, userId, traceparent: tracer.carry() };
    return tracer.span("record enqueue", DATABASE, async () => {
      const { steps, queuedJobs } = await enqueue(deps, accepting);
      committer.logSteps(steps, "enqueue");
      return queuedJobs;
    });
  };
}

export type Accepting = Pick<EnqueueDeps, "sql" | "submittable" | "limits" | "insert">;

interface Keyed {
  key: string;
  fingerprint: string;
  queuedJob: QueuedJob;
}

/** Maximum tries of a unit while other requests take its keys or delete its photos. */
export const TRIES = 5;

/**
 * Accepts all submissions or none, and returns them in order. A repeated key returns the first
 * QueuedJob of that key in its current state. With `single`, the paths of faults omit the index of
 * the submission.
 */
async function enqueue(
  deps: Accepting,
  request: Omit<Unit, "items"> & { submissions: Submission[]; single: boolean },
): Promise<{ steps: Step[]; queuedJobs: QueuedJob[] }> {
  const { userId, submissions, single } = request;
  const at = (i: number) => (single ? [] : [i]);
  const items = await checkAll(deps, submissions, at);
  for (let tries = 0; tries < TRIES; tries++) {
    const earlier = await readKeys(deps.sql, userId, items);
    checkKeys(items, earlier);
    const isNew = (item: NewQueuedJob) => !earlier.has(item.idempotencyKey ?? "");
    // Checks new submissions only: a repeat returns the first QueuedJob even if its photos are
    // gone.
    await checkPhotosExist(deps.sql, userId, items, isNew, at);
    const steps = await tryInsert(deps, { ...request, items: firstOfEachKey(items).filter(isNew) });
    if (steps) return { steps, queuedJobs: inOrder(items, earlier, steps) };
  }
  throw new ServiceUnavailableError(
    "Other requests are using the same idempotency keys or photos at the moment; try again.",
  );
}

async function checkAll(
  { submittable }: Pick<Accepting, "submittable">,
  submissions: Submission[],
  at: (i: number) => (string | number)[],
): Promise<NewQueuedJob[]> {
  const issues: InputIssue[] = [];
  const tasks = await Promise.all(submissions.map(({ job }) => submittable(job)));
  const items = submissions.map((submission, i) => {
    const checked = checkSubmission(submission, tasks[i] ?? null);
    issues.push(...checked.issues.map((issue) => ({ ...issue, path: [...at(i), ...issue.path] })));
    return { submission, parameters: checked.parameters };
  });
  if (issues.length > 0) throw new InvalidInputError(issues);
  return items.map(({ submission, parameters }) => toNewQueuedJob(submission, parameters));
}

export async function checkPhotosExist(
  sql: Sql,
  userId: string,
  items: NewQueuedJob[],
  isNew: (item: NewQueuedJob) => boolean,
  at: (i: number) => (string | number)[],
): Promise<void> {
  const ids = [...new Set(items.filter(isNew).flatMap((item) => item.photoIds))];
  if (ids.length === 0) return;
  const rows = await available(
    () =>
      sql<{ id: string }[]>`select id from photos where user_id = ${userId} and id = any(${ids})`,
  );
  const ownIds = new Set(rows.map((row) => row.id));
  const issues = items.flatMap((item, i) =>
    (isNew(item) ? item.photoIds : []).flatMap((id, k) =>
      ownIds.has(id)
        ? []
        : [{ path: [...at(i), "photoIds", k], message: "is not a photo of yours" }],
    ),
  );
  if (issues.length > 0) throw new InvalidInputError(issues);
}

async function readKeys(
  sql: Sql,
  userId: string,
  items: NewQueuedJob[],
): Promise<Map<string, Keyed>> {
  const keys = items.flatMap((item) => item.idempotencyKey ?? []);
  if (keys.length === 0) return new Map();
  const rows = await available(
    () => sql<Keyed[]>`
    select t.idempotency_key as key, t.fingerprint, ${queuedJobJson(sql, recordedOutputs(sql))} as
      "queuedJob"
    from queued_jobs t where t.user_id = ${userId} and t.idempotency_key = any(${keys})`,
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** The same key requires the same arguments, both in earlier submissions and in this request. */
function checkKeys(items: NewQueuedJob[], earlier: ReadonlyMap<string, Keyed>): void {
  const fingerprints = new Map([...earlier].map(([key, { fingerprint }]) => [key, fingerprint]));
  for (const { idempotencyKey: key, fingerprint } of items) {
    if (key === null || fingerprint === null) continue;
    if (!sameArguments(fingerprints.get(key) ?? fingerprint, fingerprint))
      throw new IdempotencyConflictError(
        `The idempotency key "${key}" was used with other arguments; use a new key.`,
      );
    fingerprints.set(key, fingerprint);
  }
}

function firstOfEachKey(items: NewQueuedJob[]): NewQueuedJob[] {
  const seen = new Set<string>();
  return items.filter(
    ({ idempotencyKey: key }) => key === null || (!seen.has(key) && seen.add(key)),
  );
}

/** Returns null when a concurrent request took a key or deleted a photo; the caller reads again. */
export async function tryInsert(
  { sql, insert, limits }: Pick<Accepting, "sql" | "insert" | "limits">,
  unit: Unit,
): Promise<Step[] | null> {
  if (unit.items.length === 0) return [];
  try {
    const steps = await insert(unit);
    if (steps) return steps;
  } catch (error) {
    const state = sqlState(error);
    if (state === ALREADY_THERE || violatedConstraint(error) === "queued_job_photos_photo")
      return null;
    if (state === OVER_RECORDED) throw quotaExceeded.recordedBytes(limits.maxRecordedBytes);
    if (state !== OVER_QUOTA) throw error;
    throw await whyNoRoom(sql, unit.userId, quotaExceeded.unfinished(limits.maxPending));
  }
  throw await whyNoRoom(sql, unit.userId, await quotaOf(sql, unit, limits));
}

/**
 * Returns the quota that a rejected unit exceeds: recorded bytes only if there is room for
 * unfinished QueuedJobs.
 */
async function quotaOf(
  sql: Sql,
  { userId, items }: Unit,
  limits: AcceptLimits,
): Promise<QuotaExceededError> {
  const parameters = items.map((item) => JSON.stringify(item.parameters));
  const needed = sql`
    select sum(${bytesNeeded(sql, sql`p.text::jsonb`)})
      from unnest(${parameters}::text[]) as p(text)`;
  const [counters] = await available(
    () => sql<{ pending: number; bytes: number }[]>`
    select u.pending, (u.recorded_bytes + (${needed}))::float8 as bytes
    from user_streams u where u.user_id = ${userId}`,
  );
  const { pending, bytes } = counters ?? { pending: 0, bytes: 0 };
  const hasPlaces = pending + items.length <= limits.maxPending;
  if (hasPlaces && bytes > limits.maxRecordedBytes)
    return quotaExceeded.recordedBytes(limits.maxRecordedBytes);
  return quotaExceeded.unfinished(limits.maxPending);
}

function inOrder(
  items: NewQueuedJob[],
  earlier: ReadonlyMap<string, Keyed>,
  steps: Step[],
): QueuedJob[] {
  const parametersOf = new Map(items.map(({ id, parameters }) => [id, parameters]));
  const whole = steps.map(({ queuedJob }) =>
    withParameters(queuedJob, parametersOf.get(queuedJob.id) ?? {}),
  );
  const byId = new Map(whole.map((queuedJob) => [queuedJob.id, queuedJob]));
  const idOfKey = new Map(
    items.flatMap((item) =>
      item.idempotencyKey !== null && byId.has(item.id) ? [[item.idempotencyKey, item.id]] : [],
    ),
  );
  return items.map((item) => {
    const key = item.idempotencyKey;
    const queuedJob =
      byId.get(item.id) ??
      (key === null
        ? undefined
        : (earlier.get(key)?.queuedJob ?? byId.get(idOfKey.get(key) ?? "")));
    if (!queuedJob) throw new Error("A submission was neither inserted nor found");
    return queuedJob;
  });
}
