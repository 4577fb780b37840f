import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import type { HintQueue } from "../queue/hint-queue.js";
import type { Duties } from "../services/maintenance/duties.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import { HintSweep } from "./hint-sweep.js";

export interface Reconciler {
  /** Reconciles now instead of at the next interval. */
  hurry(): void;
  close(): Promise<void>;
}

export interface ReconcilerOptions {
  queuedJobs: Pick<QueuedJobs, "takeOverLapsed" | "hintDue" | "cancelMarked">;
  hints: Pick<HintQueue, "hasForgotten">;
  duties: Duties;
  worker: string;
  log: Logger;
  intervalMs?: number;
  sweepMs?: number;
}

const INTERVAL_MS = 5000;
const CHECK_MS = 1000;
/** Longer than an interval; also the time without a reconciler after the holder dies. */
const HELD_SECONDS = 8;
/** Maximum attempts that one pass takes over. */
const MAX_LAPSED = 1000;
/** Failed passes in a row, because a store is unavailable, before this is logged. */
const FAILURES_LOGGED = 3;

/**
 * Restores from the rows what Redis lost, and takes over the attempts of dead workers. One worker
 * does it at a time. Each pass checks the rows that became due recently, and a part of all others:
 * the next pass continues where it stopped. The lost hint of a recent row is found within two
 * intervals, about ten seconds, whatever the backlog. See decision 18.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { hints, intervalMs = INTERVAL_MS } = options;
  let running: Promise<void> | null = null;
  let again = false;
  let closing = false;
  let nextAt = 0;
  const sweep = new HintSweep(options.queuedJobs.hintDue, options.sweepMs);
  const pass = createPass(options, sweep);

  async function run(): Promise<void> {
    const { away, unfinished } = await pass.run();
    if (unfinished) again = true;
    // The unavailable store may be back before the next interval.
    if (away) nextAt = 0;
  }

  function start(): void {
    if (running) return;
    nextAt = Date.now() + intervalMs;
    running = run().finally(() => {
      running = null;
      const missed = again;
      again = false;
      if (missed && !closing) start();
    });
  }

  /** Between the intervals, the holder checks whether Redis has lost its data. */
  async function check(): Promise<void> {
    if (pass.isHolder() && (await hints.hasForgotten())) sweep.forget();
    if (sweep.forgotten || Date.now() >= nextAt) start();
  }

  const timer = setInterval(() => void check(), Math.min(CHECK_MS, intervalMs));
  start();

  return {
    hurry() {
      again = running !== null;
      start();
    },
    async close() {
      clearInterval(timer);
      closing = true;
      sweep.stop();
      await running;
    },
  };
}

interface PassResult {
  /** True when a store was unavailable. */
  away: boolean;
  /** True when more work is left for an immediate pass. */
  unfinished: boolean;
}

/** One pass, by the one worker that holds the duty. */
function createPass(options: ReconcilerOptions, sweep: HintSweep) {
  const { queuedJobs, hints, duties, worker, log } = options;
  let holding = false;
  let failures = 0;
  let away: ServiceUnavailableError | null = null;

  async function reconcile(): Promise<boolean> {
    holding = await duties.hold("reconcile", worker, HELD_SECONDS);
    if (!holding) {
      sweep.reset();
      return false;
    }
    if (await hints.hasForgotten()) sweep.forget();
    const lapsed = await tryPart(() => queuedJobs.takeOverLapsed(MAX_LAPSED));
    const cancelled = await tryPart(() => queuedJobs.cancelMarked());
    const missing = await tryPart(() => sweep.run());
    const recent = await tryPart(() => sweep.runRecent());
    if (lapsed + cancelled + missing + recent > 0)
      log.info({ lapsed, cancelled, missing: missing + recent }, "reconciled");
    if (recent > 0 && sweep.recentUnderWay) return true;
    return lapsed === MAX_LAPSED || (missing > 0 && sweep.underWay);
  }

  /** Runs one part; a failure does not stop the other part. */
  async function tryPart(part: () => Promise<number>): Promise<number> {
    try {
      return await part();
    } catch (error) {
      note(error);
      return 0;
    }
  }

  function note(error: unknown): void {
    if (error instanceof ServiceUnavailableError) away = error;
    else log.error({ err: error }, "the reconciler failed");
  }

  async function run(): Promise<PassResult> {
    away = null;
    const unfinished = await reconcile().catch((error: unknown) => {
      note(error);
      return false;
    });
    failures = away === null ? 0 : failures + 1;
    if (failures === FAILURES_LOGGED) {
      const what = `the reconciler failed ${failures} times in a row; it keeps trying`;
      log.error({ err: away }, what);
    }
    return { away: away !== null, unfinished };
  }

  return { run, isHolder: () => holding };
}
