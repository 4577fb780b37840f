import type { Logger } from "../runtime/logger.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";

export interface ProgressReporter {
  /** May be called at any rate; the last report before a write wins. */
  report(fraction: number, message?: string): void;
  /** After this resolves, no further progress is written. */
  stop(): Promise<void>;
}

/** Minimum interval between two reports. */
const INTERVAL_MS = 250;
/** Delay of the first report: the start was published just now, and most attempts end earlier. */
const FIRST_MS = 100;

/** Combines the reports of a task into few writes; progress never decreases. */
export function createProgressReporter(
  deps: { queuedJobs: Pick<QueuedJobs, "progress">; readonly log: Logger },
  claimed: Claimed,
): ProgressReporter {
  let latest: { fraction: number; message: string | null } | null = null;
  let highest = 0;
  let sending: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let dueAt = performance.now() + FIRST_MS;

  function plan(): void {
    if (latest && !timer && !sending && !stopped)
      timer = setTimeout(send, dueAt - performance.now());
  }

  function send(): void {
    timer = undefined;
    const next = latest;
    if (!next || stopped) return;
    latest = null;
    sending = deps.queuedJobs
      .progress(claimed, next.fraction, next.message)
      .then(
        () => {},
        (error: unknown) => deps.log.debug({ err: error }, "progress was not recorded"),
      )
      .finally(() => {
        sending = null;
        dueAt = performance.now() + INTERVAL_MS;
        plan();
      });
  }

  return {
    report(fraction, message) {
      highest = Math.max(highest, Math.min(Math.max(fraction, 0), 1));
      latest = { fraction: highest, message: message?.slice(0, 200) ?? null };
      plan();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await sending;
    },
  };
}
