// The waist: the only writer of a QueuedJob's status and the only author of its events. Every step
// is recorded in PostgreSQL by one statement and told only then; what is told may be lost, what is
// recorded is not.
import { available, isLockTimeout, type Database } from "../../db/database.js";
import { ConflictError, NotFoundError } from "../../domain/errors.js";
import type { EventBus } from "../../events/event-bus.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import { MAX_DELAY_MS, type HintQueue } from "../../queue/hint-queue.js";
import {
  FINISHED_STATUSES,
  UNFINISHED_STATUSES,
  isFinished,
  type LoggedEventType,
} from "../../domain/queued-job-status.js";
import type { StopBell } from "../../queue/stop-bell.js";
import {
  withParameters,
  type QueuedJob,
  type QueuedJobSnapshot,
  type StoredOutput,
} from "../../domain/queued-job.js";
import type { Task } from "../../tasks/define-task.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import { createAttemptBatches } from "./attempt-batches.js";
import {
  adopt,
  backOff,
  claimableIn,
  fail,
  handBack,
  isSmall,
  renewLeases,
  succeed,
  type Attempt,
  type Claim,
  type Renewal,
} from "./attempt.js";
import { backOffMs } from "./back-off.js";
import type { Submission } from "./check-submission.js";
import { findDue, type DueSweep } from "./due-sweep.js";
import { enqueue } from "./enqueue.js";
import { findOldest, type QueuedJobFilter } from "./filter.js";
import { createHinter } from "./hinter.js";
import { cancel, cancelMany, refuseRetry, retry } from "./owner-steps.js";
import { createRecorder, DATABASE } from "./recorder.js";
import { createRemover } from "./remover.js";
import { findEarlierResult, reusableVersion, type EarlierResult } from "./reuse.js";
import { queuedJobJson, recordedOutputs, type Step } from "./statements.js";
import { createTakeOver } from "./take-over.js";
import { createUnitInserter } from "./unit-inserter.js";
import type { User } from "../users/users.js";

/** An attempt under way, as the worker that claimed it knows it. */
export interface Claimed extends Attempt {
  queuedJob: QueuedJob;
  /** As its events show it. */
  snapshot: QueuedJobSnapshot;
  /** Failed attempts before this one, since the last submission or retry. */
  failures: number;
  requestId: string;
  /**
   * Attempts that died with their worker before this one: such a QueuedJob is under suspicion, and
   * must run where it harms no other.
   */
  stalls: number;
  /** The number of its STARTED event. */
  startedSeq: number;
  /** By `performance.now()`: its lease began no earlier. */
  leasedAt: number;
}

export interface QueuedJobsDeps {
  database: Database;
  bus: EventBus;
  hints: HintQueue;
  stopBell: Pick<StopBell, "ring">;
  catalogue: ReadonlyMap<string, Task>;
  submittable(name: string): Task | null | Promise<Task | null>;
  deleteFiles(storageKeys: string[]): Promise<void>;
  limits: {
    maxPendingPerUser: number;
    maxStoredBytesPerUser: number;
    maxRecordedBytesPerUser: number;
    jobTtlSeconds: number;
  };
  log: Logger;
  tracer?: Tracer;
  /** Called with each step once it is recorded. */
  onStep?: (type: LoggedEventType, queuedJob: QueuedJobSnapshot) => void;
}

export type QueuedJobs = ReturnType<typeof createQueuedJobs>;

/** The most that one bulk call acts on. */
const BULK = 1000;
/** Of these, in one statement. */
const AT_ONCE = 100;
/** Before a row that somebody else has locked is claimed again. */
const LOCKED_MS = 1000;

export function createQueuedJobs(deps: QueuedJobsDeps) {
  const { bus, catalogue, limits, log, tracer = noTracer } = deps;
  const { sql } = deps.database;
  const ttlSeconds = limits.jobTtlSeconds;
  const acceptLimits = {
    maxPending: limits.maxPendingPerUser,
    maxRecordedBytes: limits.maxRecordedBytesPerUser,
  };

  const { record, step, tell, logSteps } = createRecorder(deps);
  const { hint, hintMissing, withdraw } = createHinter({ ...deps, sql });
  const jobNames = [...catalogue.keys()];
  const remover = createRemover({ ...deps, sql, record, logSteps });
  const batches = createAttemptBatches({ sql, jobs: jobNames, ttlSeconds, record });

  /** Null when what it gives may not be reused. */
  function resultVersion({ jobName }: QueuedJob): number | null {
    const task = catalogue.get(jobName);
    return task ? reusableVersion(task) : null;
  }

  const insert = createUnitInserter({
    sql,
    limits: acceptLimits,
    recorded: (steps) => void tellAccepted(steps),
  });

  async function tellAccepted(steps: Step[]): Promise<void> {
    await failpoint("accept: after the commit");
    tell(steps, "enqueue");
    await hint(steps, ({ runAt }) => (runAt ? Math.max(0, Date.parse(runAt) - Date.now()) : 0));
  }

  const accepted = (steps: Step[]) => logSteps(steps, "enqueue");

  /** The row, for its owner or an admin; another's is told apart from none by nobody. */
  async function find(actor: Pick<User, "id" | "role">, id: string): Promise<QueuedJob | null> {
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

  async function get(actor: User, id: string): Promise<QueuedJob> {
    const queuedJob = await find(actor, id);
    if (!queuedJob) throw new NotFoundError("There is no such QueuedJob.");
    return queuedJob;
  }

  return {
    find,

    /** Accepts 1 to 100 submissions of one user, all or none; see `enqueue` for what it throws. */
    async enqueue(
      userId: string,
      request: { submissions: Submission[]; requestId: string; single: boolean },
    ): Promise<QueuedJob[]> {
      await failpoint("accept: before the statement");
      const unit = { userId, requestId: request.requestId, traceparent: tracer.carry() };
      const enqueueDeps = {
        sql,
        insert,
        accepted,
        submittable: deps.submittable,
        limits: acceptLimits,
      };
      return tracer.span("record enqueue", DATABASE, () =>
        enqueue(enqueueDeps, { ...request, ...unit }),
      );
    },

    /**
     * A worker's first act on a hint; null when there is nothing to do, or not yet: see
     * `claimableIn`.
     */
    async start(request: Claim): Promise<Claimed | null> {
      try {
        const started = await tracer.span("record claim", DATABASE, () => batches.claim(request));
        logSteps([started], "claim");
        return started && toClaimed(started, started.sentAt);
      } catch (error) {
        if (isLockTimeout(error)) return null;
        throw error;
      }
    },

    /**
     * What `start` has recorded when it failed because the answer was lost; null when it has not.
     * Only for a run whose attempt is not under way: a worker may hold the same hint twice.
     */
    async adopt(request: Claim): Promise<Claimed | null> {
      const leasedAt = performance.now();
      const adopted = await step("claim", () => adopt(sql, request));
      if (adopted) log.info({ queuedJobId: request.id }, "adopted a claim whose answer was lost");
      return adopted && toClaimed(adopted, leasedAt);
    },

    /**
     * Milliseconds until a hint that could not be used is to be tried again; null when it is spent.
     */
    async claimableIn(request: Claim): Promise<number | null> {
      const ms = await available(() => claimableIn(sql, request, jobNames));
      if (ms === null || ms > MAX_DELAY_MS) return null;
      return ms === 0 ? LOCKED_MS : ms;
    },

    /** `progress` 0 to 1. Returns false when the attempt is over: its task may as well stop. */
    async progress(claimed: Claimed, progress: number, message: string | null): Promise<boolean> {
      const recorded = await batches.progress({
        id: claimed.id,
        attempt: claimed.attempt,
        progress,
        message,
      });
      if (!recorded) return false;
      const queuedJob = { ...claimed.snapshot, ...recorded, progressMessage: message };
      bus.ring(queuedJob.userId, [
        { seq: claimed.startedSeq, type: "PROGRESS", at: recorded.updatedAt, queuedJob },
      ]);
      return true;
    },

    /** An earlier success of the same work by the same task, if this one may take it over. */
    async findEarlierResult({ id, queuedJob }: Claimed): Promise<EarlierResult | null> {
      const version = resultVersion(queuedJob);
      return version === null ? null : available(() => findEarlierResult(sql, { id, version }));
    },

    /**
     * False when the attempt was over already: then its outputs are nobody's. Throws
     * QuotaExceededError when there is no room for them, or for a result that is not small.
     */
    async succeed(
      claimed: Claimed,
      value: unknown,
      outputs: StoredOutput[],
      reusedFrom: string | null = null,
    ): Promise<boolean> {
      const { id, attempt, queuedJob } = claimed;
      const version = resultVersion(queuedJob);
      const result = JSON.stringify(value ?? null);
      // Those with photos are few in a moment, and have more to write.
      if (version === null && outputs.length === 0 && isSmall(result)) {
        const success = { id, attempt, result, userId: queuedJob.userId };
        const succeeded = await tracer.span("record succeed", DATABASE, () =>
          batches.succeed(success),
        );
        logSteps([succeeded], "succeed");
        return succeeded !== null;
      }
      const most = {
        maxStoredBytes: limits.maxStoredBytesPerUser,
        maxRecordedBytes: limits.maxRecordedBytesPerUser,
      };
      const success = {
        id,
        attempt,
        result,
        outputs,
        reusedFrom,
        resultVersion: version,
        ttlSeconds,
        ...most,
      };
      return (await step("succeed", () => succeed(sql, success))) !== null;
    },

    /**
     * FAILED when it is `permanent` or no attempt is left, else back to PENDING, due after a pause.
     */
    async fail(
      claimed: Claimed,
      fault: { code: string; message: string; permanent: boolean },
    ): Promise<"FAILED" | "RETRYING" | null> {
      const maxAttempts = catalogue.get(claimed.queuedJob.jobName)?.maxAttempts ?? 1;
      if (fault.permanent || claimed.failures + 1 >= maxAttempts)
        return (
          (await step("fail", () => fail(sql, { ...claimed, ...fault, ttlSeconds }))) && "FAILED"
        );
      const delayMs = backOffMs(claimed.failures);
      const again = await step("backOff", () => backOff(sql, { ...claimed, ...fault, delayMs }));
      if (again) await hint([again], () => delayMs);
      return again && "RETRYING";
    },

    /**
     * The worker stops, or what it needs is away: neither a failure nor a death. It is due again
     * after `delayMs`.
     */
    async handBack(claimed: Claimed, delayMs: number): Promise<void> {
      const again = await step("backOff", () =>
        handBack(sql, { id: claimed.id, attempt: claimed.attempt, delayMs }),
      );
      if (again) await hint([again], () => delayMs);
    },

    /** Which are still this worker's; one that is missing was cancelled or given to another. */
    renewLeases: (worker: string, attempts: Attempt[]): Promise<Renewal> =>
      available(() => renewLeases(sql, worker, attempts)),

    /** Takes attempts over whose worker died, `limit` at most; returns how many. */
    takeOverLapsed: createTakeOver({ sql, ttlSeconds, tell, hint, log }),

    /**
     * Puts back the lost hints of the next `limit` rows of this sweep, and returns how many were
     * lost. When it throws, the sweep stands where it stood.
     */
    async hintDue(sweep: DueSweep, limit: number): Promise<number> {
      const page = { after: sweep.position, limit, aheadMs: MAX_DELAY_MS };
      const due = await available(() => findDue(sql, page));
      await failpoint("reconcile: before the hints");
      const missing = await hintMissing(due, sweep);
      sweep.pass(due, limit);
      return missing;
    },

    /** Removes finished ones whose time is up, oldest first, `limit` at most; returns how many. */
    removeExpired: (limit: number): Promise<number> => remover.expired(limit),

    /**
     * Idempotent on a cancelled one; throws ConflictError on another finished one, NotFoundError.
     */
    async cancel(actor: User, id: string): Promise<QueuedJob> {
      const { parameters } = await get(actor, id);
      const cancelled = await step("cancel", () => cancel(sql, { id, ttlSeconds }));
      if (cancelled) {
        await withdraw(cancelled);
        return withParameters(cancelled.queuedJob, parameters);
      }
      const now = await get(actor, id);
      if (now.status !== "CANCELLED")
        throw new ConflictError(`It is ${now.status}: a finished one cannot be cancelled.`);
      return now;
    },

    /**
     * Throws ConflictError when it is not FAILED or CANCELLED or a photo of it is gone,
     * NotFoundError, QuotaExceededError.
     */
    async retry(actor: User, id: string): Promise<QueuedJob> {
      const { parameters } = await get(actor, id);
      const again = await step("retry", () => retry(sql, { id, ...acceptLimits }));
      if (!again) throw await refuseRetry(sql, await get(actor, id), acceptLimits.maxRecordedBytes);
      await hint([again], () => 0);
      return withParameters(again.queuedJob, parameters);
    },

    /** Throws ConflictError on an unfinished one, NotFoundError. */
    async remove(actor: User, id: string): Promise<void> {
      for (;;) {
        const queuedJob = await get(actor, id);
        if (!isFinished(queuedJob.status))
          throw new ConflictError(`It is ${queuedJob.status}: cancel it before you delete it.`);
        if (await remover.one(queuedJob)) return;
      }
    },

    /**
     * Tells the workers of attempts whose rows are gone; it costs a lease's renewal where they do
     * not hear it.
     */
    stopWork(ids: readonly string[]): void {
      for (const id of ids) deps.stopBell.ring(id);
    },

    /**
     * The user's own, oldest first, the first 1,000 that the filter takes; returns how many were
     * cancelled.
     */
    async cancelMany(userId: string, filter: QueuedJobFilter): Promise<number> {
      const found = await available(() =>
        findOldest(sql, { userId, filter, statuses: UNFINISHED_STATUSES, limit: BULK }),
      );
      let cancelled = 0;
      for (let i = 0; i < found.length; i += AT_ONCE) {
        const ids = found.slice(i, i + AT_ONCE).map(({ id }) => id);
        const made = (await record("cancel", () => cancelMany(sql, { ids, ttlSeconds }))).filter(
          (one) => one !== null,
        );
        logSteps(made, "cancel");
        cancelled += made.length;
        await Promise.all(made.map(withdraw));
      }
      return cancelled;
    },

    /**
     * The user's own, oldest first, the first 1,000 that the filter takes; returns how many were
     * deleted.
     */
    removeMany: async (userId: string, filter: QueuedJobFilter): Promise<number> =>
      remover.many(
        await available(() =>
          findOldest(sql, { userId, filter, statuses: FINISHED_STATUSES, limit: BULK }),
        ),
      ),
  };
}

function toClaimed(step: Step, leasedAt: number): Claimed {
  const { queuedJob: snapshot, failures, stalls, requestId, seq } = step;
  const queuedJob = withParameters(snapshot, step.parameters ?? {});
  const attempt = { id: queuedJob.id, attempt: queuedJob.attempts, queuedJob, snapshot };
  return { ...attempt, failures, stalls, requestId, startedSeq: seq, leasedAt };
}
