import type { Statistics, Longest } from "./statistics.js";
import type { Violations } from "./violations.js";

/**
 * Limits far above the promised times, because the machine may be busy. A longer wait means that
 * something waits for an event that never comes.
 */
const BOUNDS_MS = {
  longestToStart: 60_000,
  longestToArrive: 30_000,
  longestToTakeOver: 80_000,
} as const satisfies Partial<Record<keyof Statistics, number>>;

const WORDS = {
  longestToStart: "started only after",
  longestToArrive: "had an event that arrived only after",
  longestToTakeOver: "was taken over only after",
} as const;

/** Reports waits that are too long. */
export function checkWaits(statistics: Statistics, violations: Violations): void {
  for (const name of Object.keys(BOUNDS_MS) as (keyof typeof BOUNDS_MS)[]) {
    const { ms, jobId }: Longest = statistics[name];
    if (ms > BOUNDS_MS[name])
      violations.add("other", `${jobId} ${WORDS[name]} ${(ms / 1000).toFixed(1)} s`);
  }
}
