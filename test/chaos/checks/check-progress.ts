import type { Numbered } from "./check-feed.js";
import type { LogRow } from "./read-tables.js";
import type { Violations } from "./violations.js";

/** Rows that a feed read from a page after its cursor had expired, up to the position `to`. */
export interface Skipped {
  to: number;
  rows: readonly LogRow[];
}

/**
 * Checks PROGRESS events. They may be missing, but must not arrive late or decrease within an
 * attempt. Their cursor is the one of the last logged event.
 */
export function checkProgress(
  name: string,
  events: readonly Numbered[],
  { skipped, violations }: { skipped: readonly Skipped[]; violations: Violations },
): void {
  const ahead = skipped.toSorted((a, b) => a.to - b.to);
  const states = new Map<string, { type: string; attempts: number; progress: number }>();
  let position: number | null = null;
  for (const event of events) {
    const { jobId, type, attempts, progress, seq } = event;
    for (let gap = ahead[0]; gap && gap.to <= seq; gap = ahead[0]) {
      for (const row of gap.rows)
        states.set(row.jobId, { type: row.type, attempts: row.attempts, progress: 0 });
      position = gap.to;
      ahead.shift();
    }
    const state = states.get(jobId);
    if (type !== "PROGRESS") {
      position = seq;
      states.set(jobId, { type, attempts, progress: 0 });
      continue;
    }
    const what =
      `${name} (connection ${event.connection}) received PROGRESS ${progress} of attempt ` +
      `${attempts} of ${jobId}`;
    if (position !== null && seq !== position)
      violations.add(
        "out of order",
        `${what} with the cursor of event ${seq} at event ${position}`,
      );
    if (!state || state.type !== "STARTED" || state.attempts !== attempts)
      violations.add(
        "out of order",
        `${what} after ${state?.type ?? "nothing"} of attempt ${state?.attempts ?? 0}`,
      );
    else if (progress < state.progress)
      violations.add("out of order", `${what} after ${state.progress}`);
    else state.progress = progress;
  }
}
