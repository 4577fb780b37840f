import type { Numbered } from "./check-feed.js";
import type { Violations } from "./violations.js";

/**
 * PROGRESS may be missing, but not come after what followed it, nor fall within an attempt; its
 * cursor is that of the last logged event.
 */
export function checkProgress(
  name: string,
  events: readonly Numbered[],
  violations: Violations,
): void {
  const states = new Map<string, { type: string; attempts: number; progress: number }>();
  let position: number | null = null;
  for (const event of events) {
    const { jobId, type, attempts, progress, seq } = event;
    const state = states.get(jobId);
    if (type !== "PROGRESS") {
      position = seq;
      states.set(jobId, { type, attempts, progress: 0 });
      continue;
    }
    const what =
      `${name} (connection ${event.connection}) was told PROGRESS ${progress} of attempt ` +
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
