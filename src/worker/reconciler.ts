import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import type { HintQueue } from "../queue/hint-queue.js";
import type { Duties } from "../services/maintenance/duties.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import { DueSweep } from "../services/queued-jobs/maintenance.js";

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
  sweepMs?: number;
}

const BEAT_MS = 5000;
const GLANCE_MS = 1000;
/** Longer than a beat; how long nobody reconciles when the holder dies. */
const HELD_SECONDS = 8;
/** Attempts that are taken over in a beat. */
const LAPSED = 1000;
/** Rows of one page of the sweep. */
const PAGE_ROWS = 2000;
/** Time of each beat in which pages are begun. */
const SWEEP_MS = 2000;
/** Beats in a row that fail because a store is away, until that is logged. */
const FAILURES_LOGGED = 3;

/**
 * The reconciler: brings what Redis forgot back from the rows, and takes over what dead workers
 * left. One worker does it at a time. It looks at all rows that are due, page by page, and goes on
 * in the next beat where it stood. A hint that was lost is found within two beats, about ten
 * seconds, unless more rows wait than a beat can look at.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { hints, beatMs = BEAT_MS } = options;
  let running: Promise<void> | null = null;
  let again = false;
  let closing = false;
  let nextBeat = 0;
  const sweep = createHintSweep(options.queuedJobs.hintDue, options.sweepMs ?? SWEEP_MS);
  const pass = createPass(options, sweep);

  async function run(): Promise<void> {
    const { away, unfinished } = await pass.run();
    if (unfinished) again = true;
    // What was away may be back before the next beat.
    if (away) nextBeat = 0;
  }

  function beat(): void {
    if (running) return;
    nextBeat = Date.now() + beatMs;
    running = run().finally(() => {
      running = null;
      const missed = again;
      again = false;
      if (missed && !closing) beat();
    });
  }

  /** Between the beats, whoever reconciles looks whether Redis remembers at all. */
  async function glance(): Promise<void> {
    if (pass.isHolder() && (await hints.hasForgotten())) sweep.forget();
    if (sweep.forgotten || Date.now() >= nextBeat) beat();
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
      closing = true;
      sweep.stop();
      await running;
    },
  };
}

interface PassResult {
  /** Whether a store was away. */
  away: boolean;
  /** Whether more is to be done at once. */
  unfinished: boolean;
}

/** What is done in a beat, by the one worker whose duty it is. */
function createPass(options: ReconcilerOptions, sweep: ReturnType<typeof createHintSweep>) {
  const { queuedJobs, hints, duties, worker, log } = options;
  let holding = false;
  let failures = 0;
  let away: ServiceUnavailableError | null = null;

  async function reconcile(): Promise<boolean> {
    holding = await duties.hold("reconcile", worker, HELD_SECONDS);
    if (!holding) return false;
    if (await hints.hasForgotten()) sweep.forget();
    const lapsed = await tryPart(() => queuedJobs.takeOverLapsed(LAPSED));
    const missing = await tryPart(sweep.run);
    if (lapsed > 0 || missing > 0) log.info({ lapsed, missing }, "reconciled");
    return lapsed === LAPSED || (missing > 0 && sweep.underWay);
  }

  /** What fails in one part is no reason to leave out the other. */
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
      const what = `the reconciler failed ${failures} times in a row; it goes on trying`;
      log.error({ err: away }, what);
    }
    return { away: away !== null, unfinished };
  }

  return { run, isHolder: () => holding };
}

/** Puts lost hints back from the rows, some pages at a time, and goes on where it stood. */
function createHintSweep(hintDue: QueuedJobs["hintDue"], sweepMs: number) {
  const state = { forgotten: false, underWay: false };
  let sweep: DueSweep | null = null;
  let stopped = false;

  /** Returns how many were missing. */
  async function run(): Promise<number> {
    if (state.forgotten) sweep = new DueSweep({ patient: false });
    state.forgotten = false;
    sweep ??= new DueSweep({ patient: true });
    const end = performance.now() + sweepMs;
    let missing = 0;
    do missing += await hintDue(sweep, PAGE_ROWS);
    while (!sweep.ended && !state.forgotten && !stopped && performance.now() < end);
    state.underWay = !sweep.ended;
    if (sweep.ended) sweep = null;
    return missing;
  }

  return Object.assign(state, {
    run,
    /** All hints are lost: it begins again, and leaves out no row. */
    forget: () => void (state.forgotten = true),
    stop: () => void (stopped = true),
  });
}
