// How an attempt ends: its outcome is recorded, its fault is put into words, its files are kept or
// deleted.
import { setTimeout as pause } from "node:timers/promises";
import {
  PermanentTaskError,
  QuotaExceededError,
  ServiceUnavailableError,
  TaskFailedError,
} from "../domain/errors.js";
import type { TaskSuccess } from "../domain/queued-job.js";
import { ChildStoppedError } from "../child-pool/exit-reason.js";
import { SlowDownloadError, type Storage } from "../photos/storage.js";
import type { Logger } from "../runtime/logger.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import type { Task } from "../tasks/define-task.js";
import { StopError, stopReasonOf } from "./leases.js";

export interface SettleDeps {
  queuedJobs: QueuedJobs;
  catalogue: ReadonlyMap<string, Task>;
  storage: Storage;
  log: Logger;
  /** An attempt failed of what its task did not foresee: a bug. */
  onBug?: () => void;
}

export type AttemptOutcome =
  "succeeded" | "failed" | "retrying" | "handed_back" | "lost" | "discarded";

/** Before something is tried again that failed for want of a store. */
const AWAY_MS = 10_000;

/** Why an attempt failed, as its row says it. */
interface Fault {
  code: string;
  message: string;
  /** No other try would end otherwise. */
  permanent: boolean;
}

/** Of what the task did not foresee: a bug. */
const UNFORESEEN: Fault = {
  code: "TASK_FAILED",
  message: "The task failed unexpectedly.",
  permanent: false,
};

const LATE_PHOTO: Fault = {
  code: "TIMEOUT",
  message: "A photo did not arrive from the storage in time.",
  permanent: false,
};

export async function recordSuccess(
  deps: SettleDeps,
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

export async function settleFailure(
  { queuedJobs, catalogue, log, onBug }: SettleDeps,
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
export async function discard(
  { queuedJobs, storage, log }: SettleDeps,
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

/** What is told of an error: a task's own words where it has some for its user. */
function faultOf(error: unknown, { failures }: Claimed, task: Task | undefined): Fault {
  if (error instanceof PermanentTaskError || error instanceof QuotaExceededError)
    return { code: error.code, message: error.message, permanent: true };
  if (error instanceof TaskFailedError)
    return { code: error.code, message: error.message, permanent: false };
  // Not handed back: a file that is always too slow would be tried without end.
  if (error instanceof SlowDownloadError) return LATE_PHOTO;
  if (!(error instanceof ChildStoppedError || error instanceof StopError)) return UNFORESEEN;
  if (error.reason === "timeout")
    return { code: "TIMEOUT", message: "It took longer than this Job may.", permanent: false };
  // Once may be chance; a photo that takes a second child with it is at fault itself.
  const permanent = failures > 0;
  if (task?.runsIn === "worker")
    return { code: "TASK_FAILED", message: "The process that ran it died.", permanent };
  if (error.reason === "memory")
    return {
      code: "PHOTO_TOO_LARGE",
      message:
        "The photo needs more memory than a task may have. Scale it down and upload it again.",
      permanent,
    };
  return {
    code: "PHOTO_UNREADABLE",
    message:
      "The photo cannot be processed: the decoder stopped at it. Upload the original file again.",
    permanent,
  };
}

/** Deletes files that no row will name; what cannot be deleted now is swept later. */
export async function discardOutputs(
  { storage, log }: { storage: Storage; log: Logger },
  outputs: readonly { storageKey: string }[],
): Promise<void> {
  await storage
    .delete(outputs.map((output) => output.storageKey))
    .catch((error: unknown) => log.warn({ err: error }, "the outputs of an attempt are left over"));
}
