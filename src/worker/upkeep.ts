import { ServiceUnavailableError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Duties } from "../services/duties.js";
import type { QueuedJobs } from "../services/queued-jobs.js";

export interface Upkeep {
  /** Reconciles now rather than at the next beat. */
  hurry(): void;
  close(): Promise<void>;
}

const BEAT_MS = 5000;
const EARLY_MS = 1000;
const HELD_SECONDS = 15;
/** Attempts that are taken over in a beat. */
const LAPSED = 1000;
/** Rows whose hints are looked for in a beat; the others have their turn when these have run. */
const DUE = 10_000;

/**
 * The reconciler: brings what Redis forgot back from the rows, and takes over what dead workers left. One worker does it
 * at a time. A job whose hint is lost starts within two beats and the patience of a row, about ten seconds.
 */
export function createUpkeep(options: { queuedJobs: QueuedJobs; duties: Duties; worker: string; log: Logger; beatMs?: number }): Upkeep {
  const { queuedJobs, duties, worker, log } = options;
  let running: Promise<void> | null = null;
  let again = false;
  let early: NodeJS.Timeout | undefined;

  async function reconcile(): Promise<void> {
    if (!(await duties.hold("reconcile", worker, HELD_SECONDS))) return;
    const lapsed = await queuedJobs.takeOverLapsed(LAPSED);
    const missing = await queuedJobs.hintDue(DUE);
    if (lapsed > 0 || missing > 0) log.info({ lapsed, missing }, "reconciled");
  }

  function beat(): void {
    if (running) return;
    running = reconcile()
      .catch((error: unknown) => {
        if (error instanceof ServiceUnavailableError) soon();
        else log.error({ err: error }, "the reconciler failed");
      })
      .finally(() => {
        running = null;
        const missed = again;
        again = false;
        if (missed) beat();
      });
  }

  /** What was away may be back before the next beat. */
  function soon(): void {
    clearTimeout(early);
    early = setTimeout(beat, EARLY_MS);
  }

  const timer = setInterval(beat, options.beatMs ?? BEAT_MS);

  return {
    hurry() {
      again = running !== null;
      beat();
    },
    async close() {
      clearInterval(timer);
      clearTimeout(early);
      again = false;
      await running;
    },
  };
}
