import { PermanentTaskError, QuotaExceededError, TaskFailedError } from "../domain/errors.js";
import { ChildStoppedError } from "../child-pool/child-stopped-error.js";
import { SlowDownloadError } from "../photos/storage.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { Task } from "../tasks/define-task.js";
import { StopError } from "./stop-reason.js";

/** Why an attempt failed, as its row says it. */
export interface Fault {
  code: string;
  message: string;
  /** No other try would end otherwise. */
  permanent: boolean;
}

/** Of what the task did not foresee: a bug. */
export const UNFORESEEN: Fault = {
  code: "TASK_FAILED",
  message: "The task failed unexpectedly.",
  permanent: false,
};

const LATE_PHOTO: Fault = {
  code: "TIMEOUT",
  message: "A photo did not arrive from the storage in time.",
  permanent: false,
};

/** What is told of an error: a task's own words where it has some for its user. */
export function faultOf(error: unknown, { failures }: Claimed, task: Task | undefined): Fault {
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
