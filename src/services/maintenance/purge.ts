import { available, type Database } from "../../db/database.js";
import { failpoint } from "../../failpoint.js";
import type { Logger } from "../../logger.js";
import type { QueuedJobs } from "../queued-jobs.js";
import { createEventPurge } from "./purge-events.js";

export interface Purged {
  queuedJobs: number;
  events: number;
  /** How long the oldest of each had been due when this run found it. */
  lagSeconds: { queuedJobs: number; events: number };
}

export interface Purge {
  /** Removes finished QueuedJobs and events whose time is up, for some seconds at most. */
  run(signal?: AbortSignal): Promise<Purged>;
}

export interface PurgeDeps {
  database: Database;
  queuedJobs: Pick<QueuedJobs, "removeExpired">;
  eventTtlSeconds: number;
  log: Logger;
  runMs?: number;
}

const RUN_MS = 10_000;
const QUEUED_JOBS_PER_BATCH = 200;

/** One of the two kinds of things that are removed. */
interface Half {
  steps: AsyncGenerator<number>;
  removed: number;
  spentMs: number;
}

/** Each run ends: the cut-off is read once, the time is bounded, and the next run goes on from there. */
export function createPurge({ database: { sql }, queuedJobs, ...deps }: PurgeDeps): Purge {
  const { eventTtlSeconds, log, runMs = RUN_MS } = deps;
  const events = createEventPurge({ sql, log });

  async function* removeQueuedJobs(): AsyncGenerator<number> {
    for (let removed = QUEUED_JOBS_PER_BATCH; removed === QUEUED_JOBS_PER_BATCH; ) {
      removed = await queuedJobs.removeExpired(QUEUED_JOBS_PER_BATCH);
      yield removed;
    }
  }

  /** By the database's clock: what events are compared with, and how late the oldest QueuedJob is. */
  async function readStart(): Promise<{ cutOff: string; lateSeconds: number }> {
    const [row] = await sql<{ cutOff: string; lateSeconds: number }[]>`
      select (clock_timestamp() - ${eventTtlSeconds} * interval '1 second')::text as "cutOff",
        coalesce((select greatest(0, extract(epoch from clock_timestamp() - expires_at)) from queued_jobs
          where expires_at is not null order by expires_at limit 1), 0)::float8 as "lateSeconds"`;
    if (!row) throw new Error("A select without from gave no row");
    return row;
  }

  return {
    async run(signal) {
      const { cutOff, lateSeconds } = await available(readStart);
      const [jobs, logged] = [half(removeQueuedJobs()), half(events.steps(cutOff))];
      const faults = await alternate([jobs, logged], { runMs, signal });
      const lagSeconds = { queuedJobs: lateSeconds, events: events.lagSeconds };
      const purged = { queuedJobs: jobs.removed, events: logged.removed, lagSeconds };
      if (jobs.removed + logged.removed > 0) log.info(purged, "purged");
      if (faults.length > 0) throw faults[0];
      return purged;
    },
  };
}

const half = (steps: AsyncGenerator<number>): Half => ({ steps, removed: 0, spentMs: 0 });

/** Steps of the half that has had less time, until all are through or the time is over. A fault ends its half only. */
async function alternate(halves: Half[], { runMs, signal }: { runMs: number; signal?: AbortSignal | undefined }): Promise<unknown[]> {
  const open = new Set(halves);
  const faults: unknown[] = [];
  const deadline = performance.now() + runMs;
  while (open.size > 0 && performance.now() < deadline && !signal?.aborted) {
    const one = [...open].reduce((least, other) => (other.spentMs < least.spentMs ? other : least));
    const begun = performance.now();
    try {
      const step = await one.steps.next();
      if (step.done) open.delete(one);
      else one.removed += step.value;
      await failpoint("clean-up: between the batches");
    } catch (error) {
      open.delete(one);
      faults.push(error);
    }
    one.spentMs += performance.now() - begun;
  }
  return faults;
}
