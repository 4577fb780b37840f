import type { Logger } from "../runtime/logger.js";
import type { TaskSuccess } from "../domain/queued-job.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { Task } from "../tasks/define-task.js";
import type { ProgressReporter } from "./progress-reporter.js";
import { StopError } from "./stop-reason.js";

/**
 * Does the work of an attempt in the worker itself, beside the others; tells it to stop when its
 * time is up. Throws what the task throws, or why it was told to stop.
 */
export async function runHere(
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
      findNearPhotos: () => refuse(task, "has no photos"),
    });
    working.catch(
      (error) =>
        signal.aborted &&
        deps.log.debug({ err: error }, "a task that was told to stop has stopped"),
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

/** Not every task hears the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
