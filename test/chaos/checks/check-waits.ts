import type { Statistics, Longest } from "./statistics.js";
import type { Violations } from "./violations.js";

/**
 * Far above what is promised, since a machine may be busy with others: what passes these waits for
 * something that does not come.
 */
const BOUNDS_MS = {
  longestToStart: 60_000,
  longestToArrive: 30_000,
  longestToTakeOver: 80_000,
} as const satisfies Partial<Record<keyof Statistics, number>>;

const WORDS = {
  longestToStart: "waited to be started for",
  longestToArrive: "had an event that its owner waited for",
  longestToTakeOver: "waited to be taken over for",
} as const;

/** Late beyond reason is broken, too. */
export function checkWaits(statistics: Statistics, violations: Violations): void {
  for (const name of Object.keys(BOUNDS_MS) as (keyof typeof BOUNDS_MS)[]) {
    const { ms, jobId }: Longest = statistics[name];
    if (ms > BOUNDS_MS[name])
      violations.add("other", `${jobId} ${WORDS[name]} ${(ms / 1000).toFixed(1)} s`);
  }
}
