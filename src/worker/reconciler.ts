import { ServiceUnavailableError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { HintQueue } from "../queue/hint-queue.js";
import type { Duties } from "../services/duties.js";
import type { QueuedJobs } from "../services/queued-jobs.js";

export interface Reconciler {
  /** Reconciles now rather than at the next beat. */
  hurry(): void;
  close(): Promise<void>;
}

export interface ReconcilerOptions {
  queuedJobs: Pick<QueuedJobs, "takeOverLapsed" | "hintDue">;
  hints: Pick<HintQueue, "hasForgotten">;
  duties: Duties;
  worker: string;
  log: Logger;
  beatMs?: number;
}

const BEAT_MS = 5000;
const GLANCE_MS = 1000;
/** Longer than a beat; how long nobody reconciles when the holder dies. */
const HELD_SECONDS = 8;
/** Attempts that are taken over in a beat. */
const LAPSED = 1000;
/** Rows whose hints are looked for in a beat; the others have their turn when these have run. */
const DUE = 10_000;

/**
 * The reconciler: brings what Redis forgot back from the rows, and takes over what dead workers left. One worker does it
 * at a time. A single hint that was lost is found within two beats, about ten seconds; that Redis lost everything, within two.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { queuedJobs, hints, duties, worker, log, beatMs = BEAT_MS } = options;
  let running: Promise<void> | null = null;
  let again = false;
  let forgotten = false;
  let holding = false;
  let nextBeat = 0;

  async function reconcile(): Promise<void> {
    holding = await duties.hold("reconcile", worker, HELD_SECONDS);
    if (!holding) return;
    forgotten = (await hints.hasForgotten()) || forgotten;
    const lapsed = await queuedJobs.takeOverLapsed(LAPSED);
    const missing = await queuedJobs.hintDue(DUE, { patient: !forgotten });
    forgotten = false;
    if (lapsed > 0 || missing > 0) log.info({ lapsed, missing }, "reconciled");
  }

  function beat(): void {
    if (running) return;
    nextBeat = Date.now() + beatMs;
    running = reconcile()
      .catch((error: unknown) => {
        if (!(error instanceof ServiceUnavailableError)) return log.error({ err: error }, "the reconciler failed");
        // What was away may be back before the next beat.
        nextBeat = 0;
      })
      .finally(() => {
        running = null;
        const missed = again;
        again = false;
        if (missed) beat();
      });
  }

  /** Between the beats, whoever reconciles looks whether Redis remembers at all. */
  async function glance(): Promise<void> {
    if (holding && (await hints.hasForgotten())) forgotten = true;
    if (forgotten || Date.now() >= nextBeat) beat();
  }

  const timer = setInterval(() => void glance(), Math.min(GLANCE_MS, beatMs));
  beat();

  return {
    hurry() {
      again = running !== null;
      beat();
    },
    async close() {
      clearInterval(timer);
      again = false;
      await running;
    },
  };
}
