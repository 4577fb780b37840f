// The course of an attempt under its lease: claim, run, settle.
import type { ChildPool } from "../child-pool/child-pool.js";
import { PermanentTaskError } from "../domain/errors.js";
import { failpoint } from "../runtime/failpoint.js";
import type { Logger } from "../runtime/logger.js";
import type { HintData } from "../queue/hint-queue.js";
import type { StartRate } from "../queue/start-rate.js";
import { type TaskSuccess, outputKey } from "../domain/queued-job.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { Task } from "../tasks/define-task.js";
import { noTracer, type SpanAttributes, type Tracer } from "../runtime/tracer.js";
import { StopError, type Leases } from "./leases.js";
import { createProgressReporter, type ProgressReporter } from "./progress-reporter.js";
import { runInChild, type RunInChildDeps } from "./child/run-in-child.js";
import {
  discard,
  discardOutputs,
  recordSuccess,
  settleFailure,
  type AttemptOutcome,
  type SettleDeps,
} from "./settle-attempt.js";

export interface ExecuteDeps extends Omit<RunInChildDeps, "queuedJobs">, SettleDeps {
  /**
   * Runs attempts of the worker process whose last worker died. They may take minutes, so they must
   * not hold up the children that decode photos.
   */
  suspects: ChildPool;
  leases: Leases;
  startRate: Pick<StartRate, "note">;
  /** The name of this worker in its leases. */
  worker: string;
  tracer?: Tracer;
  /** Called when an attempt has ended; `seconds` covers the claim until the recorded outcome. */
  onAttempt?: (attempt: { job: string; outcome: AttemptOutcome; seconds: number }) => void;
}

const MAX_RESULT_CHARACTERS = 256 * 1024;
/**
 * Returns null when the hint is spent, else the milliseconds until it is due again. Rejects with
 * ServiceUnavailableError while it cannot claim. Later faults are recorded in the row, or the
 * reconciler finds them.
 * @param isRepeat true after such a rejection, because the claim may have been recorded
 */
export function executeTask(
  deps: ExecuteDeps,
  hint: HintData,
  { isRepeat = false } = {},
): Promise<number | null> {
  return (deps.tracer ?? noTracer).resume(hint.traceparent, "attempt", async (note) => {
    note({ "photos.queued_job.id": hint.id, "photos.request.id": hint.requestId });
    const { id, run, userId, grouped } = hint;
    const request = { id, run, userId, grouped, worker: deps.worker };
    let claimed = await deps.queuedJobs.start(request);
    if (isRepeat) claimed ??= await deps.queuedJobs.adopt(request);
    if (!claimed) return deps.queuedJobs.claimableIn(request);
    // The other delivery of the same hint has made this claim.
    if (deps.leases.holds(claimed)) return null;
    const ended = underLease(deps, claimed, note);
    // An adopted claim may be older than a lease.
    if (isRepeat) deps.leases.check(id);
    await ended;
    return null;
  });
}

async function underLease(
  deps: ExecuteDeps,
  claimed: Claimed,
  note: (attributes: SpanAttributes) => void,
): Promise<void> {
  const startedAt = performance.now();
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
      seconds: (performance.now() - startedAt) / 1000,
    });
  } finally {
    deps.leases.release(claimed);
  }
}

/** A child logger costs as much as a line, and most attempts write only one line. */
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
      () => runTask(deps, claimed, stop),
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

async function runTask(
  deps: ExecuteDeps,
  claimed: Claimed,
  stop: AbortController,
): Promise<TaskSuccess> {
  const task = deps.catalogue.get(claimed.queuedJob.jobName);
  if (!task) throw new Error(`This worker has no task "${claimed.queuedJob.jobName}"`);
  const reporter = createProgressReporter(deps, claimed);
  try {
    const success =
      (await reuseResult(deps, claimed, stop.signal)) ??
      (await (runsHere(task, claimed)
        ? runHere(deps, task, claimed, { stop, progress: reporter.report })
        : runInChild(
            task.runsIn === "worker" ? { ...deps, pool: deps.suspects } : deps,
            task,
            claimed,
            { signal: stop.signal, progress: reporter.report },
          )));
    if ((JSON.stringify(success.result) ?? "").length > MAX_RESULT_CHARACTERS)
      throw new PermanentTaskError(
        "TASK_FAILED",
        `The result is too long: at most ${MAX_RESULT_CHARACTERS} characters of JSON are allowed.`,
      );
    return success;
  } finally {
    await reporter.stop();
  }
}

/** After a worker death, a QueuedJob runs in a child, so that a crash harms no other attempt. */
function runsHere(task: Task, { stalls }: Claimed): boolean {
  return task.runsIn === "worker" && stalls === 0;
}

/**
 * Reuses an earlier result of the same work and copies its files, so that each QueuedJob can be
 * deleted alone. Null when no result exists or its files are gone; then the task must run. It needs
 * no child.
 */
async function reuseResult(
  deps: ExecuteDeps,
  claimed: Claimed,
  signal: AbortSignal,
): Promise<TaskSuccess | null> {
  const earlier = await deps.queuedJobs.findEarlierResult(claimed);
  if (!earlier) return null;
  const copies = earlier.outputs.map((output) => ({
    ...output,
    from: output.storageKey,
    storageKey: outputKey(claimed.queuedJob, output.name),
  }));
  try {
    for (const { from, storageKey } of copies) {
      signal.throwIfAborted();
      if (await deps.storage.copy(from, storageKey)) continue;
      await discardOutputs(deps, copies);
      return null;
    }
  } catch (error) {
    await discardOutputs(deps, copies);
    throw error;
  }
  return {
    result: earlier.result,
    outputs: copies.map(({ from: _, ...output }) => output),
    reusedFrom: earlier.id,
  };
}

/**
 * Runs a task in the worker process and aborts it when its time is up. Throws what the task throws,
 * or the reason of the abort.
 */
async function runHere(
  deps: { readonly log: Logger },
  task: Task,
  { attempt, failures, queuedJob }: Claimed,
  { stop, progress }: { stop: AbortController; progress: ProgressReporter["report"] },
): Promise<TaskSuccess> {
  const { signal } = stop;
  const timer = setTimeout(() => stop.abort(new StopError("timeout")), task.timeoutMs);
  try {
    const { run } = await task.load();
    const working = run({
      parameters: queuedJob.parameters,
      photos: [],
      attempt,
      failures,
      signal,
      progress,
      output: () => refuse(task, "makes no files"),
      fetchPhoto: () => refuse(task, "has no photos"),
      findNearPhotos: () => refuse(task, "has no photos"),
    });
    working.catch(
      (error) => signal.aborted && deps.log.debug({ err: error }, "an aborted task has stopped"),
    );
    return {
      result: task.result.parse(await Promise.race([working, aborted(signal)])),
      outputs: [],
      reusedFrom: null,
    };
  } finally {
    clearTimeout(timer);
  }
}

function refuse({ name }: Task, why: string): Promise<never> {
  return Promise.reject(new Error(`The task ${name} runs in the worker and ${why}`));
}

/** Rejects on abort, because not every task reacts to the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
