// The life of an attempt: claim, run, settle; its lease is held all the while.
import { setTimeout as pause } from "node:timers/promises";
import { PermanentTaskError, ServiceUnavailableError } from "../domain/errors.js";
import { failpoint } from "../runtime/failpoint.js";
import { ChildStoppedError } from "../child-pool/child-stopped-error.js";
import type { Logger } from "../runtime/logger.js";
import type { HintData } from "../queue/hint-queue.js";
import type { StartRate } from "../queue/start-rate.js";
import type { TaskSuccess } from "../domain/queued-job.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import type { Task } from "../tasks/define-task.js";
import { noTracer, type SpanAttributes, type Tracer } from "../runtime/tracer.js";
import { discardOutputs } from "./discard-outputs.js";
import { faultOf, UNFORESEEN } from "./fault-of.js";
import type { Leases } from "./leases.js";
import { createProgressReporter } from "./progress-reporter.js";
import { reuseResult } from "./reuse-result.js";
import { runHere } from "./run-here.js";
import { runInChild, type RunInChildDeps } from "./child/run-in-child.js";
import { stopReasonOf } from "./stop-reason.js";

export interface ExecuteDeps extends RunInChildDeps {
  queuedJobs: QueuedJobs;
  catalogue: ReadonlyMap<string, Task>;
  leases: Leases;
  startRate: Pick<StartRate, "note">;
  /** Names this worker in its leases. */
  worker: string;
  tracer?: Tracer;
  /**
   * Called with each attempt that has ended; `seconds` from the claim until the outcome was
   * recorded.
   */
  onAttempt?: (attempt: { job: string; outcome: AttemptOutcome; seconds: number }) => void;
  /** An attempt failed of what its task did not foresee: a bug. */
  onBug?: () => void;
}

export type AttemptOutcome =
  "succeeded" | "failed" | "retrying" | "handed_back" | "lost" | "discarded";

const MAX_RESULT_CHARACTERS = 256 * 1024;
/** Before something is tried again that failed for want of a store. */
const AWAY_MS = 10_000;

/**
 * Null when the hint is spent, else the milliseconds after which it is to be tried again. Rejects
 * with ServiceUnavailableError while it cannot be claimed; what goes wrong from then on stands in
 * the row, or is found by the reconciler.
 * @param isRepeat it was rejected so before, and may have been claimed all the same
 */
export function executeTask(
  deps: ExecuteDeps,
  hint: HintData,
  { isRepeat = false } = {},
): Promise<number | null> {
  return (deps.tracer ?? noTracer).resume(hint.traceparent, "attempt", async (note) => {
    note({ "photos.queued_job.id": hint.id, "photos.request.id": hint.requestId });
    const request = { id: hint.id, run: hint.run, userId: hint.userId, worker: deps.worker };
    let claimed = await deps.queuedJobs.start(request);
    if (isRepeat) claimed ??= await deps.queuedJobs.adopt(request);
    if (!claimed) return deps.queuedJobs.claimableIn(request);
    // A hint that came twice was claimed by the other one.
    if (!deps.leases.holds(claimed)) await underLease(deps, claimed, note);
    return null;
  });
}

async function underLease(
  deps: ExecuteDeps,
  claimed: Claimed,
  note: (attributes: SpanAttributes) => void,
): Promise<void> {
  const begun = performance.now();
  const { queuedJob, attempt, requestId } = claimed;
  deps.startRate.note(deps.catalogue.get(queuedJob.jobName)?.runsIn ?? "worker");
  const about = {
    queuedJobId: queuedJob.id,
    attempt,
    requestId,
    userId: queuedJob.userId,
    job: queuedJob.jobName,
  };
  const stop = new AbortController();
  deps.leases.hold(claimed, stop);
  try {
    const outcome = await runAndSettle(withLogAbout(deps, about), claimed, stop);
    note({ "photos.job": queuedJob.jobName, "photos.attempt": attempt, "photos.outcome": outcome });
    deps.onAttempt?.({
      job: queuedJob.jobName,
      outcome,
      seconds: (performance.now() - begun) / 1000,
    });
  } finally {
    deps.leases.release(claimed);
  }
}

/** A logger of its own costs as much as a line, and most attempts have only one to write. */
function withLogAbout(deps: ExecuteDeps, about: object): ExecuteDeps {
  let log: Logger | undefined;
  return {
    ...deps,
    get log() {
      return (log ??= deps.log.child(about));
    },
  };
}

async function runAndSettle(
  deps: ExecuteDeps,
  claimed: Claimed,
  stop: AbortController,
): Promise<AttemptOutcome> {
  try {
    await failpoint("work: after the claim");
    const success = await (deps.tracer ?? noTracer).span(
      `task ${claimed.queuedJob.jobName}`,
      {},
      () => run(deps, claimed, stop),
    );
    await failpoint("work: before the outcome is recorded");
    const recorded = await recordSuccess(deps, claimed, success, stop.signal);
    await failpoint("work: after the outcome is recorded");
    if (success.reusedFrom !== null)
      deps.log.info({ reusedFrom: success.reusedFrom }, "reused an earlier result");
    return recorded ? "succeeded" : await discard(deps, claimed, success);
  } catch (error) {
    return settleFailure(deps, claimed, stop.signal, error);
  }
}

async function run(
  deps: ExecuteDeps,
  claimed: Claimed,
  stop: AbortController,
): Promise<TaskSuccess> {
  const task = deps.catalogue.get(claimed.queuedJob.jobName);
  if (!task) throw new Error(`This worker knows no task "${claimed.queuedJob.jobName}"`);
  const reporter = createProgressReporter(deps, claimed);
  try {
    const success =
      (await reuseResult(deps, claimed, stop.signal)) ??
      (await (runsHere(task, claimed)
        ? runHere(deps, task, claimed, { stop, progress: reporter.report })
        : runInChild(deps, task, claimed, { signal: stop.signal, progress: reporter.report })));
    if ((JSON.stringify(success.result) ?? "").length > MAX_RESULT_CHARACTERS)
      throw new PermanentTaskError(
        "TASK_FAILED",
        `The result is longer than ${MAX_RESULT_CHARACTERS} characters of JSON.`,
      );
    return success;
  } finally {
    await reporter.stop();
  }
}

/**
 * One whose worker has died before runs in a child, whatever its task: a killer then takes nobody
 * else with it.
 */
function runsHere(task: Task, { stalls }: Claimed): boolean {
  return task.runsIn === "worker" && stalls === 0;
}

async function recordSuccess(
  deps: ExecuteDeps,
  claimed: Claimed,
  { result, outputs, reusedFrom }: TaskSuccess,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await persist(
      () => deps.queuedJobs.succeed(claimed, result, outputs, reusedFrom),
      signal,
    );
  } catch (error) {
    // With the answer lost it may be recorded: then the files must be there, too.
    if (!(error instanceof ServiceUnavailableError)) await discardOutputs(deps, outputs);
    throw error;
  }
}

async function settleFailure(
  { queuedJobs, catalogue, log, onBug }: ExecuteDeps,
  claimed: Claimed,
  signal: AbortSignal,
  error: unknown,
): Promise<AttemptOutcome> {
  const reason = stopReasonOf(signal);
  if (reason === "lost") {
    log.info("stopped: it was cancelled, or given to another worker");
    return "lost";
  }
  // We are to end, a store was away, or the machine is short of something: that is nobody's
  // failure.
  const closing =
    reason === "shutdown" || (error instanceof ChildStoppedError && error.reason === "closed");
  if (closing || error instanceof ServiceUnavailableError || wasKilledByChance(error, claimed)) {
    await persist(() => queuedJobs.handBack(claimed, closing ? 0 : AWAY_MS), signal);
    log.info({ err: error }, "handed back");
    return "handed_back";
  }
  const fault = faultOf(
    reason === "timeout" ? signal.reason : error,
    claimed,
    catalogue.get(claimed.queuedJob.jobName),
  );
  if (fault === UNFORESEEN) onBug?.();
  const outcome = await persist(() => queuedJobs.fail(claimed, fault), signal);
  log.warn({ err: error, code: fault.code, outcome }, "an attempt failed");
  if (outcome === null) return "lost";
  return outcome === "FAILED" ? "failed" : "retrying";
}

/** Most often a neighbour took the memory: the first time, another machine may do better. */
function wasKilledByChance(error: unknown, { attempt, failures, stalls }: Claimed): boolean {
  const wasHandedBack = attempt > failures + stalls + 1;
  return error instanceof ChildStoppedError && error.reason === "killed" && !wasHandedBack;
}

/**
 * The attempt was over already; its files are nobody's, unless an earlier try had recorded them and
 * only the answer was lost.
 */
async function discard(
  { queuedJobs, storage, log }: ExecuteDeps,
  { id, attempt }: Claimed,
  { outputs }: TaskSuccess,
): Promise<AttemptOutcome> {
  const now = await queuedJobs.find({ id: "", role: "ADMIN" }, id);
  if (now?.status === "SUCCESS" && now.attempts === attempt) return "succeeded";
  await discardOutputs({ storage, log }, outputs);
  log.info({ status: now?.status ?? "gone" }, "the result came too late and was discarded");
  return "discarded";
}

/**
 * Records an outcome, again and again while the database is away: after the lease the fence refuses
 * it.
 */
async function persist<T>(record: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await record();
    } catch (error) {
      const lost = stopReasonOf(signal) === "lost";
      if (!(error instanceof ServiceUnavailableError) || lost) throw error;
      await pause(500);
    }
  }
}
