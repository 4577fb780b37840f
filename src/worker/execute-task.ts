// The life of an attempt: claim → run → settle.
import { setTimeout as pause } from "node:timers/promises";
import { PermanentTaskError, QuotaExceededError, ServiceUnavailableError, TaskFailedError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { ChildStoppedError } from "../imaging/child-stopped-error.js";
import type { Logger } from "../logger.js";
import type { HintData } from "../queue/hint-queue.js";
import type { StartRate } from "../queue/start-rate.js";
import type { Claimed, QueuedJobs } from "../services/queued-jobs.js";
import type { Task } from "../tasks/define-task.js";
import { noTracer } from "../tracer.js";
import type { SpanAttributes, Tracer } from "../tracer.js";
import { discardOutputs } from "./discard-outputs.js";
import type { Leases } from "./leases.js";
import { createProgressReporter } from "./progress-reporter.js";
import { reuseResult } from "./reuse-result.js";
import { runsHere, runTask } from "./run-task.js";
import type { RunTaskDeps, TaskOutcome } from "./run-task.js";
import { StopError } from "./stop-reason.js";

export interface ExecuteDeps extends RunTaskDeps {
  queuedJobs: QueuedJobs;
  catalogue: ReadonlyMap<string, Task>;
  leases: Leases;
  startRate: Pick<StartRate, "note">;
  /** Names this worker in its leases. */
  worker: string;
  tracer?: Tracer;
  /** Called with each attempt that has ended; `seconds` from the claim until the outcome was recorded. */
  onAttempt?: (attempt: { job: string; outcome: AttemptOutcome; seconds: number }) => void;
  /** An attempt failed of what its task did not foresee: a bug. */
  onBug?: () => void;
}

export type AttemptOutcome = "succeeded" | "failed" | "retrying" | "handed_back" | "lost" | "discarded";

const MAX_RESULT_CHARACTERS = 256 * 1024;
/** Before something is tried again that failed for want of a store. */
const AWAY_MS = 10_000;

/** Whatever becomes of it, this resolves: what went wrong stands in the row, or is found by the reconciler. */
export function executeTask(deps: ExecuteDeps, hint: HintData): Promise<void> {
  return (deps.tracer ?? noTracer).resume(hint.traceparent, "attempt", async (note) => {
    note({ "photos.queued_job.id": hint.id, "photos.request.id": hint.requestId });
    const claimed = await deps.queuedJobs.start({ id: hint.id, run: hint.run, worker: deps.worker });
    if (claimed) await attend(deps, claimed, note);
  });
}

async function attend(deps: ExecuteDeps, claimed: Claimed, note: (attributes: SpanAttributes) => void): Promise<void> {
  const begun = performance.now();
  const { queuedJob, attempt, requestId } = claimed;
  deps.startRate.note(deps.catalogue.get(queuedJob.jobName)?.runsIn ?? "worker");
  const about = { queuedJobId: queuedJob.id, attempt, requestId, userId: queuedJob.userId, job: queuedJob.jobName };
  const stop = new AbortController();
  deps.leases.hold(claimed, stop);
  try {
    const outcome = await settle(withLogAbout(deps, about), claimed, stop);
    if (outcome === "succeeded") deps.log.info(about, "succeeded");
    note({ "photos.job": queuedJob.jobName, "photos.attempt": attempt, "photos.outcome": outcome });
    deps.onAttempt?.({ job: queuedJob.jobName, outcome, seconds: (performance.now() - begun) / 1000 });
  } finally {
    deps.leases.release(claimed);
  }
}

/** A logger of its own costs as much as a line, and most attempts have only one to write. */
function withLogAbout(deps: ExecuteDeps, about: object): ExecuteDeps {
  let log: Logger | undefined;
  return { ...deps, get log() { return (log ??= deps.log.child(about)); } };
}

async function settle(deps: ExecuteDeps, claimed: Claimed, stop: AbortController): Promise<AttemptOutcome> {
  try {
    await failpoint("work: after the claim");
    const outcome = await (deps.tracer ?? noTracer).span(`task ${claimed.queuedJob.jobName}`, {}, () => run(deps, claimed, stop));
    await failpoint("work: before the outcome is recorded");
    const recorded = await recordSuccess(deps, claimed, outcome, stop.signal);
    await failpoint("work: after the outcome is recorded");
    if (outcome.reusedFrom !== null) deps.log.info({ reusedFrom: outcome.reusedFrom }, "reused an earlier result");
    return recorded ? "succeeded" : await discard(deps, claimed, outcome);
  } catch (error) {
    return settleFailure(deps, claimed, stop.signal, error);
  }
}

async function recordSuccess(deps: ExecuteDeps, claimed: Claimed, { result, outputs, reusedFrom }: TaskOutcome, signal: AbortSignal): Promise<boolean> {
  try {
    return await persist(() => deps.queuedJobs.succeed(claimed, result, outputs, reusedFrom), signal);
  } catch (error) {
    // With the answer lost it may be recorded: then the files must be there, too.
    if (!(error instanceof ServiceUnavailableError)) await discardOutputs(deps, outputs);
    throw error;
  }
}

async function run(deps: ExecuteDeps, claimed: Claimed, stop: AbortController): Promise<TaskOutcome> {
  const task = deps.catalogue.get(claimed.queuedJob.jobName);
  if (!task) throw new Error(`This worker knows no task "${claimed.queuedJob.jobName}"`);
  const reporter = createProgressReporter(deps, claimed);
  // In a child the time counts from when the child begins, and is kept by the pool.
  const timer = runsHere(task, claimed) ? setTimeout(() => stop.abort(new StopError("timeout")), task.timeoutMs) : undefined;
  try {
    const outcome = (await reuseResult(deps, claimed, stop.signal)) ?? (await runTask(deps, task, claimed, { signal: stop.signal, progress: reporter.report }));
    if ((JSON.stringify(outcome.result) ?? "").length > MAX_RESULT_CHARACTERS) throw new PermanentTaskError("TASK_FAILED", `The result is longer than ${MAX_RESULT_CHARACTERS} characters of JSON.`);
    return outcome;
  } finally {
    clearTimeout(timer);
    await reporter.stop();
  }
}

async function settleFailure({ queuedJobs, catalogue, log, onBug }: ExecuteDeps, claimed: Claimed, signal: AbortSignal, error: unknown): Promise<AttemptOutcome> {
  const reason = signal.reason instanceof StopError ? signal.reason.reason : null;
  if (reason === "lost") {
    log.info("stopped: it was cancelled, or given to another worker");
    return "lost";
  }
  // We are to end, or the storage or the database was away: that is nobody's failure.
  const closing = reason === "shutdown" || (error instanceof ChildStoppedError && error.reason === "closed");
  if (closing || error instanceof ServiceUnavailableError) {
    await persist(() => queuedJobs.handBack(claimed, closing ? 0 : AWAY_MS), signal);
    log.info({ err: error }, "handed back");
    return "handed_back";
  }
  const fault = describeFault(reason === "timeout" ? new ChildStoppedError("timeout", "") : error, claimed, catalogue.get(claimed.queuedJob.jobName));
  if (isBug(error) && reason === null) onBug?.();
  const outcome = await persist(() => queuedJobs.fail(claimed, fault), signal);
  log.warn({ err: error, code: fault.code, outcome }, "an attempt failed");
  return outcome === null ? "lost" : outcome === "FAILED" ? "failed" : "retrying";
}

/** What is told of an error: a task's own words where it has some for its user. */
function describeFault(error: unknown, { failures }: Claimed, task: Task | undefined): { code: string; message: string; permanent: boolean } {
  if (error instanceof PermanentTaskError || error instanceof QuotaExceededError) return { code: error.code, message: error.message, permanent: true };
  if (error instanceof TaskFailedError) return { code: error.code, message: error.message, permanent: false };
  if (!(error instanceof ChildStoppedError)) return { code: "TASK_FAILED", message: "The task failed unexpectedly.", permanent: false };
  if (error.reason === "timeout") return { code: "TIMEOUT", message: "It took longer than this Job may.", permanent: false };
  // Once may be chance; a photo that takes a second child with it is at fault itself.
  const permanent = failures > 0;
  if (task?.runsIn === "worker") return { code: "TASK_FAILED", message: "The process that ran it died.", permanent };
  if (error.reason === "memory") return { code: "PHOTO_TOO_LARGE", message: "The photo needs more memory than a task may have. Scale it down and upload it again.", permanent };
  return { code: "PHOTO_UNREADABLE", message: "The photo cannot be processed: the decoder stopped at it. Upload the original file again.", permanent };
}

const isBug = (error: unknown) => ![PermanentTaskError, QuotaExceededError, TaskFailedError, ChildStoppedError].some((kind) => error instanceof kind);

/** The attempt was over already; its files are nobody's, unless an earlier try had recorded them and only the answer was lost. */
async function discard({ queuedJobs, storage, log }: ExecuteDeps, { id, attempt }: Claimed, { outputs }: TaskOutcome): Promise<AttemptOutcome> {
  const now = await queuedJobs.find({ id: "", role: "ADMIN" }, id);
  if (now?.status === "SUCCESS" && now.attempts === attempt) return "succeeded";
  await discardOutputs({ storage, log }, outputs);
  log.info({ status: now?.status ?? "gone" }, "the result came too late and was discarded");
  return "discarded";
}

/** Records an outcome, again and again while the database is away: after the lease the fence refuses it. */
async function persist<T>(record: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await record();
    } catch (error) {
      const lost = signal.reason instanceof StopError && signal.reason.reason === "lost";
      if (!(error instanceof ServiceUnavailableError) || lost) throw error;
      await pause(500);
    }
  }
}
