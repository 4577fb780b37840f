import { setTimeout as pause } from "node:timers/promises";
import type { JobClient } from "./job-client.js";

/**
 * Collects the ends of a client's jobs by id. An end may arrive before the response to its
 * submission.
 */
export interface Completions {
  /** Time at which the SUCCESS event of each job arrived. */
  at: ReadonlyMap<string, number>;
  /** Resolves when all of these jobs have succeeded; throws after a failure or a minute. */
  all(ids: readonly string[]): Promise<void>;
}

const TIMEOUT_MS = 60_000;

export function watchCompletions(client: JobClient): Completions {
  const at = new Map<string, number>();
  const failed: string[] = [];
  client.onStatus((id, status) => {
    if (status === "SUCCESS") at.set(id, performance.now());
    else if (status === "FAILED") failed.push(id);
  });
  return {
    at,
    async all(ids) {
      for (const deadline = performance.now() + TIMEOUT_MS; ; await pause(2)) {
        if (failed.length > 0) throw new Error(`${failed.length} jobs failed`);
        if (at.size >= ids.length && ids.every((id) => at.has(id))) return;
        if (performance.now() > deadline)
          throw new Error(
            `no end arrived for ${ids.filter((id) => !at.has(id)).length} of ${ids.length} jobs`,
          );
      }
    },
  };
}
