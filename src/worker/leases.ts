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
/** Interval of renewal while the row is locked. */
const RENEW_LOCKED_MS = 1000;
/** Less than the lease: a worker that cannot renew must stop before another attempt begins. */
const GIVE_UP_MS = 20_000;

interface Held {
  claimed: Claimed;
  stop: AbortController;
  giveUp: NodeJS.Timeout;
}

/**
 * Renews the leases of all attempts of this worker in one statement. The answer shows which
 * attempts were cancelled or taken over.
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

  /** Checks the attempt of this QueuedJob after a cancellation, if it runs here. */
  drop(queuedJobId: string): void {
    const entry = this.#held.get(queuedJobId);
    // A notification proves nothing: only the row decides.
    if (entry) void this.#renew([entry.claimed]);
  }

  /** Aborts all attempts, because this process closes. */
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

  async #renew(attempts: Claimed[]): Promise<void> {
    const { queuedJobs, worker, log } = this.#options;
    const sentAt = performance.now();
    try {
      const { renewed, locked } = await queuedJobs.renewLeases(worker, attempts);
      for (const claimed of attempts) {
        if (renewed.has(claimed.id)) this.#prolong(claimed, sentAt);
        else if (locked.has(claimed.id)) this.#renewSoon(claimed);
        else this.#lose(claimed);
      }
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

  /** The lease continues unchanged; once the row is free, another worker may take it over. */
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

  /**
   * Returns undefined when the attempt is over or a later attempt of the same QueuedJob is held.
   */
  #entryOf(claimed: Claimed): Held | undefined {
    const entry = this.#held.get(claimed.id);
    return entry?.claimed === claimed ? entry : undefined;
  }
}

export const createLeases = (options: LeasesOptions): Leases => new Leases(options);
