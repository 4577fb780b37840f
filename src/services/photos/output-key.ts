import type { QueuedJob } from "../../domain/queued-job.js";

/**
 * Where the storage keeps an output: under a key of the attempt, so that one that was thought dead
 * cannot overwrite the winner's.
 */
export function outputKey(
  { id, userId, attempts }: Pick<QueuedJob, "id" | "userId" | "attempts">,
  name: string,
): string {
  return `outputs/${userId}/${id}/${attempts}/${name}`;
}
