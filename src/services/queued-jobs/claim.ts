// An attempt begins with a claim and lasts as long as its lease is renewed. The attempt number is
// the fence: a late write of a worker that was believed dead matches no row.
import type { Fragment, Sql } from "postgres";
import { available, isLockTimeout } from "../../db/database.js";
import { withParameters, type QueuedJob, type QueuedJobSnapshot } from "../../domain/queued-job.js";
import { MAX_DELAY_MS } from "../../queue/hint-queue.js";
import type { Slots } from "../../runtime/concurrency.js";
import type { Logger } from "../../runtime/logger.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import { isPaused } from "../operators/paused-rows.js";
import { renewLeases, rowLease, type Attempt } from "./claim/leases.js";
import { DATABASE, type Committer } from "./commit.js";
import { createOwnerBatch } from "./owner-batch.js";
import { briefLocks, hasOwner, type Step } from "./statements.js";
import { transition, transitionMany } from "./transition.js";

/** An attempt under way, as its worker sees it. */
export interface Claimed extends Attempt {
  queuedJob: QueuedJob;
  /** The QueuedJob as its events show it. */
  snapshot: QueuedJobSnapshot;
  /** Number of failed attempts before this one, since the last submission or retry. */
  failures: number;
  requestId: string;
  /**
   * Number of earlier attempts whose worker died. Such a QueuedJob may have caused the deaths, so
   * it must run where it harms no other.
   */
  stalls: number;
  /** Sequence number of its STARTED event. */
  startedSeq: number;
  /** Earliest possible start of its lease, by `performance.now()`. */
  leasedAt: number;
}

export interface Claim {
  id: string;
  run: number;
  worker: string;
  /** Absent in hints of older versions. */
  userId?: string | undefined;
  /** True if the QueuedJob is known to have a group. */
  grouped?: boolean | undefined;
}

export interface ClaimsDeps {
  sql: Sql;
  /** Names of the Jobs that this process may claim. */
  jobs: string[];
  committer: Committer;
  tracer?: Tracer;
  log: Logger;
  /**
   * Shared with successes: both wait for the counter of a user. After such a wait, PostgreSQL
   * prepares the whole statement again; without turns, a worker completes a sixth less.
   */
  turns: Slots;
}

interface ClaimStep extends Step {
  /** Time at which the statement was sent, by `performance.now()`; the lease began later. */
  sentAt: number;
}

/** Maximum claims per statement: as many as a worker runs at once. */
const MAX_ITEMS = 100;
/** Delay before the next claim of a row that another process has locked. */
const LOCKED_MS = 1000;

export function createClaims({ sql, jobs, committer, tracer = noTracer, log, turns }: ClaimsDeps) {
  const claimInBatch = createClaimBatch({ sql, jobs, committer, turns });
  return {
    /**
     * Claims the QueuedJob of a hint. Returns null when nothing can be done, or not yet; see
     * `claimableIn`.
     */
    async start(request: Claim): Promise<Claimed | null> {
      try {
        const step = await tracer.span("record claim", DATABASE, () => claimInBatch(request));
        committer.logSteps([step], "claim");
        return step && toClaimed(step, step.sentAt);
      } catch (error) {
        if (isLockTimeout(error)) return null;
        throw error;
      }
    },

    /**
     * Returns the claim that a failed `start` has recorded when only its answer was lost; null when
     * it recorded none. Use it only for a run without an attempt under way, because a worker may
     * hold the same hint twice.
     */
    async adopt(request: Claim): Promise<Claimed | null> {
      const leasedAt = performance.now();
      const step = await committer.commitOne("claim", () => adopt(sql, request));
      if (step) log.info({ queuedJobId: request.id }, "adopted a claim whose answer was lost");
      return step && toClaimed(step, leasedAt);
    },

    /**
     * Returns the milliseconds until a hint that could not be used is due again; null when it is
     * spent.
     */
    async claimableIn(request: Claim): Promise<number | null> {
      const ms = await available(() => claimableIn(sql, request, jobs));
      if (ms === null || ms > MAX_DELAY_MS) return null;
      return ms === 0 ? LOCKED_MS : ms;
    },

    /**
     * Renews the leases of all attempts of a worker. Returns the ids of those that still belong to
     * it; a missing one was cancelled or taken over.
     */
    renewLeases: (worker: string, attempts: Attempt[]): Promise<Set<string>> =>
      available(() => renewLeases(sql, worker, attempts)),
  };
}

/**
 * Claims waiting requests in one statement. It rejects at once with a lock timeout while a counter
 * is locked.
 */
function createClaimBatch({
  sql,
  jobs,
  committer,
  turns,
}: Pick<ClaimsDeps, "sql" | "jobs" | "committer" | "turns">) {
  async function commit(write: () => Promise<(Step | null)[]>): Promise<(ClaimStep | null)[]> {
    const sentAt = performance.now();
    const steps = await committer.commit({ step: "claim", write, eventsOf: (written) => written });
    return steps.map((step) => step && { ...step, sentAt });
  }
  return createOwnerBatch<Claim, ClaimStep | null>({
    lanes: 1,
    maxItems: MAX_ITEMS,
    keyOf: ({ id }) => id,
    // A single lane keeps the order: the first in the queue is claimed first.
    laneOf: () => "",
    ownerOf: ({ userId, id }) => userId ?? id,
    timeoutMs: 0,
    turns,
    sendOne: async (item) => (await commit(async () => [await claim(sql, item, jobs)]))[0] ?? null,
    sendMany: (items) => commit(() => claimMany(sql, items, jobs)),
  });
}

function toClaimed(step: Step, leasedAt: number): Claimed {
  const { queuedJob: snapshot, failures, stalls, requestId, seq } = step;
  const queuedJob = withParameters(snapshot, step.parameters ?? {});
  const attempt = { id: queuedJob.id, attempt: queuedJob.attempts, queuedJob, snapshot };
  return { ...attempt, failures, stalls, requestId, startedSeq: seq, leasedAt };
}

/**
 * PENDING → STARTED, if the row is due, not paused, and this is its current run. The worker must
 * have the task, which an older version may lack during a roll-out.
 */
export function claim(
  sql: Sql,
  { id, run, worker, grouped = false }: Claim,
  jobs: string[],
): Promise<Step | null> {
  const where = sql`id = ${id} and ${mayClaim(sql, sql`${run}`, jobs)} and ${briefLocks(sql)}`;
  const set = lease(sql, sql`${worker}`);
  return transition(sql, { step: "claim", id, where, set, pending: 0, grouped, brief: true });
}

/**
 * Does `claim` for several rows in one statement, and skips rows that another process has locked.
 */
export function claimMany(sql: Sql, claims: Claim[], jobs: string[]): Promise<(Step | null)[]> {
  return transitionMany(sql, {
    step: "claim",
    ids: claims.map(({ id }) => id),
    more: {
      arrays: sql`${claims.map(({ run }) => run)}::int[],
        ${claims.map(({ worker }) => worker)}::text[]`,
      columns: sql`item_run, item_worker`,
    },
    where: mayClaim(sql, sql`i.item_run`, jobs),
    set: lease(sql, sql`i.item_worker`),
    pending: 0,
    brief: true,
    skipLocked: true,
    grouped: claims.some(({ grouped }) => grouped),
  });
}

function mayClaim(sql: Sql, run: Fragment, jobs: string[]): Fragment {
  return sql`run = ${run} and due_at <= clock_timestamp() and job_name = any(${jobs})
    and not ${isPaused(sql)}`;
}

function lease(sql: Sql, worker: Fragment): Fragment {
  return sql`, attempts = attempts + 1, worker = ${worker}, ${rowLease(sql)}, progress = 0,
    progress_message = null, error_code = null, error_message = null, started_at = now()`;
}

/**
 * Returns the milliseconds until an unclaimed row is due, and 0 for a due row that was locked.
 * Returns null when this run is over, or paused: the reconciler restores its hint after the resume.
 */
async function claimableIn(sql: Sql, { id, run }: Claim, jobs: string[]): Promise<number | null> {
  const [row] = await sql<{ ms: number }[]>`
    select greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as ms
    from queued_jobs
    where id = ${id} and run = ${run} and status = 'PENDING' and job_name = any(${jobs})
      and ${hasOwner(sql)} and not ${isPaused(sql)}`;
  return row?.ms ?? null;
}

/**
 * Returns what an earlier claim by the same worker has recorded when its answer was lost. Null when
 * it recorded nothing. The lease starts again. The event is the recorded one, because its group may
 * have changed since.
 */
async function adopt(sql: Sql, { id, run, worker }: Claim): Promise<Step | null> {
  const [step] = await sql<Step[]>`
    with t as (
      update queued_jobs set ${rowLease(sql)}
      where id = ${id} and run = ${run} and worker = ${worker} and status = 'STARTED'
        and ${briefLocks(sql)} returning *)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.type, e.snapshot as "queuedJob",
      case when not e.snapshot ? 'parameters' then t.parameters end as parameters,
      t.run, t.failures, t.stalls, t.request_id as "requestId", s.pending
    from t join user_streams s using (user_id) cross join lateral (
      select seq, at, type, snapshot from queued_job_events where queued_job_id = t.id
      order by seq desc limit 1) e`;
  return step ?? null;
}

export function fence(sql: Sql, { id, attempt }: Attempt): Fragment {
  return sql`id = ${id} and attempts = ${attempt} and ${hasOwner(sql)}`;
}
