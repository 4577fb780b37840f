import type { Logger } from "../logger.js";
import type { Claimed, QueuedJobs } from "../services/queued-jobs.js";
import { StopError } from "./stop-reason.js";

export interface Leases {
  /** Keeps the lease of an attempt until `release`; the signal is aborted when it is lost. */
  hold(claimed: Claimed, stop: AbortController): void;
  release(claimed: Claimed): void;
  /** The attempt of this QueuedJob, if it runs here, is to stop. */
  drop(queuedJobId: string): void;
  /** Attempts under way. */
  readonly size: number;
  /** Tells all of them to stop: this process is to end. */
  stopAll(): void;
  close(): void;
}

/** Also the bound on how long a cancelled attempt goes on when no stop bell is heard. */
const RENEW_MS = 8000;
/** Before the lease itself ends: who cannot renew must have stopped when another begins. */
const GIVE_UP_MS = 20_000;

/** Renews the leases of all that this worker runs, by one statement; its answer says what was cancelled or taken over meanwhile. */
export function createLeases(options: { queuedJobs: Pick<QueuedJobs, "renewLeases">; worker: string; log: Logger; renewMs?: number }): Leases {
  const { queuedJobs, worker, log } = options;
  const held = new Map<string, { claimed: Claimed; stop: AbortController; renewedAt: number }>();
  let renewing = false;

  async function renewAll(): Promise<void> {
    giveUp();
    if (renewing || held.size === 0) return;
    renewing = true;
    await renew([...held.values()].map(({ claimed }) => claimed));
    renewing = false;
  }

  async function renew(asked: Claimed[]): Promise<void> {
    const askedAt = Date.now();
    try {
      const mine = await queuedJobs.renewLeases(worker, asked);
      for (const claimed of asked) settle(claimed, mine.has(claimed.id), askedAt);
    } catch (error) {
      log.warn({ err: error, attempts: asked.length }, "leases could not be renewed");
      giveUp();
    }
  }

  function giveUp(): void {
    for (const { stop, renewedAt } of held.values()) if (Date.now() - renewedAt > GIVE_UP_MS) stop.abort(new StopError("lost"));
  }

  function settle(claimed: Claimed, mine: boolean, askedAt: number): void {
    const entry = held.get(claimed.id);
    if (entry?.claimed !== claimed) return;
    if (mine) entry.renewedAt = askedAt;
    else entry.stop.abort(new StopError("lost"));
  }

  const timer = setInterval(() => void renewAll(), options.renewMs ?? RENEW_MS);

  return {
    hold(claimed, stop) {
      // Where it was claimed here anew its earlier attempt is over, which the renewal, by ids, would not tell.
      held.get(claimed.id)?.stop.abort(new StopError("lost"));
      held.set(claimed.id, { claimed, stop, renewedAt: Date.now() });
    },
    release(claimed) {
      if (held.get(claimed.id)?.claimed === claimed) held.delete(claimed.id);
    },
    drop(queuedJobId) {
      const own = held.get(queuedJobId);
      // A bell proves nothing: the row has the last word.
      if (own) void renew([own.claimed]);
    },
    get size() {
      return held.size;
    },
    stopAll() {
      for (const { stop } of held.values()) stop.abort(new StopError("shutdown"));
    },
    close: () => clearInterval(timer),
  };
}
