import { setTimeout as pause } from "node:timers/promises";
import type { JobClient } from "./job-client.js";

/**
 * What was told of the jobs of a client, by id, whether it came before or after the answer to the
 * submission.
 */
export interface Completions {
  /** When each was told as finished. */
  at: ReadonlyMap<string, number>;
  /**
   * Resolves when all of these are; throws when one failed, or when they are not within a minute.
   */
  all(ids: readonly string[]): Promise<void>;
}

const TIMEOUT_MS = 60_000;

export function watchCompletions(client: JobClient): Completions {
  const at = new Map<string, number>();
  const failed: string[] = [];
  client.onTold((id, status) => {
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
            `${ids.filter((id) => !at.has(id)).length} of ${ids.length} jobs were never ` +
              "told as finished",
          );
      }
    },
  };
}
