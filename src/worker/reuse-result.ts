import type { Logger } from "../runtime/logger.js";
import type { Storage } from "../photos/storage.js";
import type { TaskSuccess } from "../domain/queued-job.js";
import { outputKey } from "../services/photos/output-key.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import { discardOutputs } from "./discard-outputs.js";

export interface ReuseDeps {
  queuedJobs: Pick<QueuedJobs, "findEarlierResult">;
  storage: Storage;
  log: Logger;
}

/**
 * What came of an earlier success of the same work, its files copied for this attempt, so that
 * deleting either leaves the other; null when there is none, or its files go: then the work has to
 * be done. No child is needed for it.
 */
export async function reuseResult(
  deps: ReuseDeps,
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
