// The end of an attempt: its outcome is recorded, and its files are kept or deleted.
import { setTimeout as pause } from "node:timers/promises";
import {
  PermanentTaskError,
  QuotaExceededError,
  ServiceError,
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
  /** Called when an attempt failed in a way that its task did not foresee: a bug. */
  onBug?: () => void;
}

export type AttemptOutcome =
  "succeeded" | "failed" | "retrying" | "handed_back" | "lost" | "discarded";

/** Delay before the next attempt after a store was unavailable. */
const AWAY_MS = 10_000;

/** The reason of a failed attempt, as its row shows it. */
interface Fault {
  code: string;
  message: string;
  /** True when another attempt would fail in the same way. */
  permanent: boolean;
}

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
    // When only the answer was lost, the outcome may be recorded, and then its files must stay.
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
    log.info("stopped: the attempt was cancelled or taken over");
    return "lost";
  }
  // None of these is a failure of the task: the worker closes, a store is away, or memory is short.
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
  logFailure(log, error, { fault, outcome });
  if (outcome === null) return "lost";
  return outcome === "FAILED" ? "failed" : "retrying";
}

/** The sentence of a foreseen fault says enough; only others need a stack. */
function logFailure(
  log: Logger,
  error: unknown,
  { fault, outcome }: { fault: Fault; outcome: string | null },
): void {
  const { code, message, permanent } = fault;
  if (!(error instanceof ServiceError))
    log.warn({ err: error, code, outcome }, "an attempt failed");
  // A permanent fault is in the input, so no operator has to act.
  else log[permanent ? "info" : "warn"]({ code, reason: message, outcome }, "an attempt failed");
}

/**
 * A kill usually means that another process took the memory, so the first kill is not a failure.
 */
function wasKilledByChance(error: unknown, { attempt, failures, stalls }: Claimed): boolean {
  const wasHandedBack = attempt > failures + stalls + 1;
  return error instanceof ChildStoppedError && error.reason === "killed" && !wasHandedBack;
}

/**
 * The attempt was already over. Its files belong to no row, unless an earlier try recorded them and
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
  log.info(
    { status: now?.status ?? "gone" },
    "the result came after the end of the attempt and was discarded",
  );
  return "discarded";
}

/**
 * Records an outcome, and tries again while the database is unavailable. After the end of the
 * lease, the fence refuses it.
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

/** Chooses the fault that the owner sees: the task's own message where it has one. */
function faultOf(error: unknown, { failures }: Claimed, task: Task | undefined): Fault {
  if (error instanceof PermanentTaskError || error instanceof QuotaExceededError)
    return { code: error.code, message: error.message, permanent: true };
  if (error instanceof TaskFailedError)
    return { code: error.code, message: error.message, permanent: false };
  // Not handed back, because a file that is always too slow would be tried without end.
  if (error instanceof SlowDownloadError) return LATE_PHOTO;
  if (!(error instanceof ChildStoppedError || error instanceof StopError)) return UNFORESEEN;
  if (error.reason === "timeout")
    return {
      code: "TIMEOUT",
      message: "The attempt exceeded the time limit of this Job.",
      permanent: false,
    };
  // One crash may be chance; a photo that makes a second child crash is at fault itself.
  const permanent = failures > 0;
  if (task?.runsIn === "worker")
    return { code: "TASK_FAILED", message: "The process of this attempt died.", permanent };
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

/** Deletes files without a row; the file sweep removes what cannot be deleted now. */
export async function discardOutputs(
  { storage, log }: { storage: Storage; log: Logger },
  outputs: readonly { storageKey: string }[],
): Promise<void> {
  await storage
    .delete(outputs.map((output) => output.storageKey))
    .catch((error: unknown) =>
      log.warn(
        { err: error },
        "outputs of an attempt were not deleted; the file sweep removes them",
      ),
    );
}
