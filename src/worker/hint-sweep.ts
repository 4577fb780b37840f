import { DueSweep } from "../services/queued-jobs/maintenance.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";

/** Rows of one page. */
const PAGE_ROWS = 2000;
/** Time of each pass in which a sweep may start pages. */
const SWEEP_MS = 2000;
/** The same for a sweep of all rows that misses no hint, so that a large backlog costs little. */
const CALM_MS = 100;
/** Time for which a row is recent; longer than a commit or a failover of Redis takes. */
const RECENT_MS = 20_000;

/**
 * Restores lost hints from the rows. Each pass checks the rows that became due recently, of any
 * number of others a bounded part; the next pass continues there.
 */
export class HintSweep {
  readonly #hintDue: QueuedJobs["hintDue"];
  readonly #sweepMs: number;
  /** The sweep of all rows that is under way. */
  #all: DueSweep | null = null;
  #recent: { sweep: DueSweep; beganAt: number } | null = null;
  /** True at the start, after a loss, and while hints of old rows are missing. */
  #isUrgent = true;
  /** True if this pass has checked all rows. */
  #isComplete = false;
  #isStopped = false;
  #isForgotten = false;
  /** All rows that became due before this time are checked, by `performance.now()`. */
  #checkedAt = performance.now();

  constructor(hintDue: QueuedJobs["hintDue"], sweepMs = SWEEP_MS) {
    this.#hintDue = hintDue;
    this.#sweepMs = sweepMs;
  }

  /** True between two passes of the same sweep of all rows. */
  get underWay(): boolean {
    return this.#all !== null;
  }

  /** True between two passes of the same sweep of recent rows. */
  get recentUnderWay(): boolean {
    return this.#recent !== null;
  }

  /** True after `forget`, until the next pass. */
  get forgotten(): boolean {
    return this.#isForgotten;
  }

  /** Continues the sweep of all rows where it stopped; returns the number of missing hints. */
  async run(): Promise<number> {
    const beganAt = performance.now();
    const { sweep, isNew } = this.#continue();
    const ms = this.#isUrgent ? this.#sweepMs : Math.min(this.#sweepMs, CALM_MS);
    const missing = await this.#walk(sweep, ms);
    this.#isUrgent = !sweep.ended && (this.#isUrgent || missing > 0);
    this.#isComplete = isNew && sweep.ended;
    if (this.#isComplete) this.#checkedAt = beganAt;
    if (sweep.ended) this.#all = null;
    return missing;
  }

  /**
   * Checks the rows that became due since the last pass, unless this pass has checked all rows.
   * Returns the number of missing hints.
   */
  async runRecent(): Promise<number> {
    if (this.#isComplete || this.#isStopped || this.#isForgotten) return 0;
    const beganAt = performance.now();
    const sinceMs = beganAt - this.#checkedAt + RECENT_MS;
    const recent = this.#recent ?? { sweep: new DueSweep({ patient: true, sinceMs }), beganAt };
    // After a failure, the next pass begins with earlier rows again.
    this.#recent = null;
    const missing = await this.#walk(recent.sweep, this.#sweepMs);
    if (recent.sweep.ended) this.#checkedAt = recent.beganAt;
    else this.#recent = recent;
    return missing;
  }

  /** Restarts the sweep without skipping any row, because all hints are lost. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Starts from nothing, because another worker reconciles. */
  reset(): void {
    this.#all = null;
    this.#recent = null;
    this.#isUrgent = true;
    this.#checkedAt = performance.now();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #continue(): { sweep: DueSweep; isNew: boolean } {
    this.#isComplete = false;
    if (this.#all && !this.#isForgotten) return { sweep: this.#all, isNew: false };
    const sweep = new DueSweep({ patient: !this.#isForgotten });
    this.#isUrgent ||= this.#isForgotten;
    this.#isForgotten = false;
    this.#all = sweep;
    return { sweep, isNew: true };
  }

  async #walk(sweep: DueSweep, ms: number): Promise<number> {
    const end = performance.now() + ms;
    let missing = 0;
    do missing += await this.#hintDue(sweep, PAGE_ROWS);
    while (!sweep.ended && !this.#isForgotten && !this.#isStopped && performance.now() < end);
    return missing;
  }
}
