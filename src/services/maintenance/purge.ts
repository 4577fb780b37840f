import { setTimeout as pause } from "node:timers/promises";
import type { Fragment } from "postgres";
import { available, type Database } from "../../db/database.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import type { QueuedJobs } from "../queued-jobs/queued-jobs.js";
import { rowTtlSeconds } from "./event-retirement.js";
import { createEventPurge, type UndeliveredLimits } from "./purge-events.js";

export interface Purged {
  queuedJobs: number;
  events: number;
  /** Time for which the oldest of each kind had been due when this run found it. */
  lagSeconds: LagSeconds;
}

export interface LagSeconds {
  /** Of QueuedJobs that belong to no group. */
  queuedJobs: number;
  groups: number;
  events: number;
}

export interface Purge {
  /** Removes expired QueuedJobs and events, for at most a few seconds. */
  run(signal?: AbortSignal): Promise<Purged>;
}

export interface PurgeDeps {
  database: Database;
  queuedJobs: Pick<QueuedJobs, "removeExpired">;
  eventTtlSeconds: number;
  /** Keeps events that no webhook has delivered; null without webhooks. */
  undelivered?: UndeliveredLimits | null;
  log: Logger;
  runMs?: number;
}

const RUN_MS = 14_000;
/** Their owners' counters are locked during a batch. */
const QUEUED_JOBS_PER_BATCH = 200;

/** How QueuedJobs are removed: batches at the same time, and the rest after each, in its durations. */
interface Pace {
  lanes: number;
  rest: number;
}

/**
 * For an old backlog that was there at the start, or came all at once. While it shrinks there is no
 * hurry, and without rests the purge takes a third of the submissions beside it.
 */
const GENTLE: Pace = { lanes: 1, rest: 2 };
const STEADY: Pace = { lanes: 1, rest: 0 };
/** About 2,200 QueuedJobs per second expire faster than one lane (bench/load/expiring-jobs). */
const HURRIED: Pace = { lanes: 2, rest: 0 };
/** Lag up to which the purge counts as on time again. */
const ON_TIME_SECONDS = 60;
/** Difference between the clocks of the process and of the database in one interval. */
const CLOCK_SECONDS = 1;

/**
 * Bounds each run: the cut-off is read once, the time is limited, and the next run continues from
 * there.
 */
export function createPurge({ database: { sql }, queuedJobs: service, ...deps }: PurgeDeps): Purge {
  const { eventTtlSeconds, undelivered = null, log, runMs = RUN_MS } = deps;
  const events = createEventPurge({ sql, undelivered, log });

  const keptSeconds = rowTtlSeconds(eventTtlSeconds);
  const choosePace = createPacer();

  async function* removeQueuedJobs(rest: number, signal?: AbortSignal): AsyncGenerator<number> {
    for (let removed = QUEUED_JOBS_PER_BATCH; removed === QUEUED_JOBS_PER_BATCH;) {
      const start = performance.now();
      removed = await service.removeExpired(QUEUED_JOBS_PER_BATCH);
      const restMs = rest * (performance.now() - start);
      yield removed;
      await pause(restMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Reads the cut-off of events and the lags of the rest by the clock of the database. */
  async function readStart(): Promise<Start> {
    const lateness = (table: Fragment) => sql`
      coalesce((select greatest(0, extract(epoch from clock_timestamp() - expires_at))
        ${table} where expires_at is not null order by expires_at limit 1), 0)::float8`;
    const [row] = await sql<Start[]>`
      select (clock_timestamp() - ${keptSeconds} * interval '1 second')::text as "cutOff",
        ${lateness(sql`from queued_jobs`)} as "queuedJobs",
        ${lateness(sql`from job_groups`)} as groups`;
    if (!row) throw new Error("A select without from returned no row");
    return row;
  }

  return {
    async run(signal) {
      const { cutOff, ...late } = await available(readStart);
      const until = { deadline: performance.now() + runMs, signal };
      // Runs all at the same time, so that a slow one does not take the time of the others.
      const { lanes: laneCount, rest } = choosePace(late.queuedJobs);
      const lanes = Array.from({ length: laneCount }, () =>
        drain(removeQueuedJobs(rest, signal), until),
      );
      const runs = [Promise.all(lanes), drain(events.steps(cutOff), until)] as const;
      const [jobs, logged] = await Promise.all(runs);
      const queuedJobs = jobs.reduce((sum, { removed }) => sum + removed, 0);
      const lagSeconds = { ...late, events: events.lagSeconds };
      const purged = { queuedJobs, events: logged.removed, lagSeconds };
      if (queuedJobs + logged.removed > 0) log.info(purged, "purged");
      const fault = [...jobs, logged].find((drained) => drained.fault !== undefined)?.fault;
      if (fault !== undefined) throw fault;
      return purged;
    },
  };
}

/** Returns a function that chooses the pace of a run by the lag at its start. */
function createPacer(): (lateSeconds: number) => Pace {
  let pace = GENTLE;
  let last = { lateSeconds: Infinity, at: 0 };
  return (lateSeconds) => {
    const at = performance.now() / 1000;
    const grownBy = lateSeconds - last.lateSeconds;
    // A purge that is too slow falls behind by a second per second at most.
    if (grownBy > at - last.at + CLOCK_SECONDS) pace = GENTLE;
    else if (grownBy > 0) pace = HURRIED;
    else if (lateSeconds <= ON_TIME_SECONDS) pace = STEADY;
    last = { lateSeconds, at };
    return pace;
  };
}

type Start = Omit<LagSeconds, "events"> & { cutOff: string };

interface Drained {
  removed: number;
  fault?: unknown;
}

/** Runs steps until they end or the time is over. A fault ends only these steps. */
async function drain(
  steps: AsyncGenerator<number>,
  { deadline, signal }: { deadline: number; signal: AbortSignal | undefined },
): Promise<Drained> {
  let removed = 0;
  try {
    for await (const more of steps) {
      removed += more;
      await failpoint("clean-up: between the batches");
      if (performance.now() >= deadline || signal?.aborted) break;
    }
    return { removed };
  } catch (fault) {
    return { removed, fault };
  }
}
