import type { Logger } from "../runtime/logger.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";

/** Why an attempt is told to stop; the reason of its AbortSignal. */
type StopReason = "timeout" | "lost" | "shutdown";

/** The reason as it stands in an AbortSignal. */
export class StopError extends Error {
  constructor(readonly reason: StopReason) {
    super(`The attempt is to stop: ${reason}`);
    this.name = "StopError";
  }
}

/** Null while it is to go on. */
export function stopReasonOf({ reason }: AbortSignal): StopReason | null {
  return reason instanceof StopError ? reason.reason : null;
}

interface LeasesOptions {
  queuedJobs: Pick<QueuedJobs, "renewLeases">;
  worker: string;
  log: Logger;
  renewMs?: number;
}

/** Also the bound on how long a cancelled attempt goes on when no stop notification is heard. */
const RENEW_MS = 8000;
/** Of one whose row was locked. */
const RENEW_LOCKED_MS = 1000;
/** Before the lease itself ends: who cannot renew must have stopped when another begins. */
const GIVE_UP_MS = 20_000;

interface Held {
  claimed: Claimed;
  stop: AbortController;
  giveUp: NodeJS.Timeout;
}

/**
 * Renews the leases of all that this worker runs, by one statement; its answer says what was
 * cancelled or taken over.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #renewMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #held = new Map<string, Held>();
  readonly #locked = new Set<Claimed>();
  #lockedTimer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#renewMs = options.renewMs ?? RENEW_MS;
    this.#timer = setInterval(() => void this.#renewAll(), this.#renewMs);
  }

  /** Attempts under way. */
  get size(): number {
    return this.#held.size;
  }

  /** Keeps the lease of an attempt until `release`; the signal is aborted when it is lost. */
  hold(claimed: Claimed, stop: AbortController): void {
    // Where it was claimed here again its earlier attempt is over, which the renewal, by ids, would
    // not tell.
    const earlier = this.#held.get(claimed.id)?.claimed;
    if (earlier) {
      this.#lose(earlier);
      this.release(earlier);
    }
    const giveUp = this.#giveUpLater(claimed, claimed.leasedAt);
    this.#held.set(claimed.id, { claimed, stop, giveUp });
  }

  release(claimed: Claimed): void {
    const entry = this.#entryOf(claimed);
    clearTimeout(entry?.giveUp);
    if (entry) this.#held.delete(claimed.id);
  }

  /** Whether this attempt is under way here. */
  holds({ id, attempt }: Pick<Claimed, "id" | "attempt">): boolean {
    return this.#held.get(id)?.claimed.attempt === attempt;
  }

  /** The attempt of this QueuedJob, if it runs here, is to stop. */
  drop(queuedJobId: string): void {
    const own = this.#held.get(queuedJobId);
    // A notification proves nothing: the row has the last word.
    if (own) void this.#renew([own.claimed]);
  }

  /** Tells all of them to stop: this process is to end. */
  stopAll(): void {
    for (const { stop } of this.#held.values()) stop.abort(new StopError("shutdown"));
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#lockedTimer);
    for (const { giveUp } of this.#held.values()) clearTimeout(giveUp);
  }

  async #renewAll(): Promise<void> {
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    await this.#renew([...this.#held.values()].map(({ claimed }) => claimed));
    this.#renewing = false;
  }

  async #renew(asked: Claimed[]): Promise<void> {
    const { queuedJobs, worker, log } = this.#options;
    const askedAt = performance.now();
    try {
      const { renewed, locked } = await queuedJobs.renewLeases(worker, asked);
      for (const claimed of asked) {
        if (renewed.has(claimed.id)) this.#prolong(claimed, askedAt);
        else if (locked.has(claimed.id)) this.#renewSoon(claimed);
        else this.#lose(claimed);
      }
    } catch (error) {
      log.warn({ err: error, attempts: asked.length }, "leases could not be renewed");
    }
  }

  #prolong(claimed: Claimed, leasedAt: number): void {
    const entry = this.#entryOf(claimed);
    if (!entry) return;
    clearTimeout(entry.giveUp);
    entry.giveUp = this.#giveUpLater(claimed, leasedAt);
  }

  /** Its lease runs on as it was: once the row is free again, it may be taken over. */
  #renewSoon(claimed: Claimed): void {
    this.#locked.add(claimed);
    this.#lockedTimer ??= setTimeout(
      () => {
        this.#lockedTimer = undefined;
        const again = [...this.#locked].filter((one) => this.#entryOf(one));
        this.#locked.clear();
        if (again.length > 0) void this.#renew(again);
      },
      Math.min(RENEW_LOCKED_MS, this.#renewMs),
    );
  }

  #giveUpLater(claimed: Claimed, leasedAt: number): NodeJS.Timeout {
    return setTimeout(() => this.#lose(claimed), leasedAt + GIVE_UP_MS - performance.now());
  }

  #lose(claimed: Claimed): void {
    this.#entryOf(claimed)?.stop.abort(new StopError("lost"));
  }

  /** Undefined when it is over, or a later attempt of the same QueuedJob is held. */
  #entryOf(claimed: Claimed): Held | undefined {
    const entry = this.#held.get(claimed.id);
    return entry?.claimed === claimed ? entry : undefined;
  }
}

export const createLeases = (options: LeasesOptions): Leases => new Leases(options);
