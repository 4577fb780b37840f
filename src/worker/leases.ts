import type { Logger } from "../runtime/logger.js";
import type { Claimed } from "../services/queued-jobs/claim.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";

/** The reason of the AbortSignal of an attempt. */
type StopReason = "timeout" | "lost" | "shutdown";

/** A stop reason as the reason of an AbortSignal. */
export class StopError extends Error {
  constructor(readonly reason: StopReason) {
    super(`The attempt must stop: ${reason}`);
    this.name = "StopError";
  }
}

/** Returns null while the attempt may continue. */
export function stopReasonOf({ reason }: AbortSignal): StopReason | null {
  return reason instanceof StopError ? reason.reason : null;
}

interface LeasesOptions {
  queuedJobs: Pick<QueuedJobs, "renewLeases">;
  worker: string;
  log: Logger;
  renewMs?: number;
}

/** Also the maximum time that a cancelled attempt continues when its stop notification is lost. */
const RENEW_MS = 8000;
/** Less than the lease: a worker that cannot renew must stop before another attempt begins. */
const GIVE_UP_MS = 20_000;

interface Held {
  claimed: Claimed;
  stop: AbortController;
  giveUp: NodeJS.Timeout;
}

/**
 * Renews the lease of this worker, which includes all its attempts. The answer shows which of them
 * were cancelled or taken over.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #held = new Map<string, Held>();
  #renewing = false;
  /** True to renew again after the renewal under way, which may have read too early. */
  #again = false;
  #hasLease = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#renewAll(), options.renewMs ?? RENEW_MS);
  }

  /** Number of attempts under way. */
  get size(): number {
    return this.#held.size;
  }

  /** Ids of the QueuedJobs whose attempts are under way. */
  get ids(): string[] {
    return [...this.#held.keys()];
  }

  /** Keeps the lease of an attempt until `release`; aborts its signal when the lease is lost. */
  hold(claimed: Claimed, stop: AbortController): void {
    // A new claim of the same id ends the earlier attempt, which renewals by id would not notice.
    const earlier = this.#held.get(claimed.id)?.claimed;
    if (earlier) {
      this.#lose(earlier);
      this.release(earlier);
    }
    const giveUp = this.#giveUpLater(claimed, claimed.leasedAt);
    this.#held.set(claimed.id, { claimed, stop, giveUp });
    // Without a lease, the death of this worker would be noticed late.
    if (!this.#hasLease) void this.#renewAll();
  }

  release(claimed: Claimed): void {
    const entry = this.#entryOf(claimed);
    clearTimeout(entry?.giveUp);
    if (entry) this.#held.delete(claimed.id);
  }

  /** Returns true while this attempt runs in this worker. */
  holds({ id, attempt }: Pick<Claimed, "id" | "attempt">): boolean {
    return this.#held.get(id)?.claimed.attempt === attempt;
  }

  /** Checks the attempts at once, if that of this QueuedJob runs here: it may be cancelled. */
  check(queuedJobId: string): void {
    // A notification proves nothing: only the row decides.
    if (!this.#held.has(queuedJobId)) return;
    this.#again = this.#renewing;
    void this.#renewAll();
  }

  /** Aborts all attempts, because this process closes. */
  stopAll(): void {
    for (const { stop } of this.#held.values()) stop.abort(new StopError("shutdown"));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { giveUp } of this.#held.values()) clearTimeout(giveUp);
  }

  async #renewAll(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    do {
      this.#again = false;
      await this.#renew([...this.#held.values()].map(({ claimed }) => claimed));
    } while (this.#again);
    this.#renewing = false;
  }

  async #renew(attempts: Claimed[]): Promise<void> {
    if (attempts.length === 0) return;
    const { queuedJobs, worker, log } = this.#options;
    const sentAt = performance.now();
    try {
      const renewed = await queuedJobs.renewLeases(worker, attempts);
      this.#hasLease = true;
      for (const claimed of attempts)
        if (renewed.has(claimed.id)) this.#prolong(claimed, sentAt);
        else this.#lose(claimed);
    } catch (error) {
      log.warn({ err: error, attempts: attempts.length }, "leases could not be renewed");
    }
  }

  #prolong(claimed: Claimed, leasedAt: number): void {
    const entry = this.#entryOf(claimed);
    if (!entry) return;
    clearTimeout(entry.giveUp);
    entry.giveUp = this.#giveUpLater(claimed, leasedAt);
  }

  #giveUpLater(claimed: Claimed, leasedAt: number): NodeJS.Timeout {
    return setTimeout(() => this.#lose(claimed), leasedAt + GIVE_UP_MS - performance.now());
  }

  #lose(claimed: Claimed): void {
    this.#entryOf(claimed)?.stop.abort(new StopError("lost"));
  }

  /**
   * Returns undefined when the attempt is over or a later attempt of the same QueuedJob is held.
   */
  #entryOf(claimed: Claimed): Held | undefined {
    const entry = this.#held.get(claimed.id);
    return entry?.claimed === claimed ? entry : undefined;
  }
}

export const createLeases = (options: LeasesOptions): Leases => new Leases(options);
