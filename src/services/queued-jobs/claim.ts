// An attempt begins with a claim, and lasts as long as its lease is renewed. The number of the
// attempt is the fence: what a worker that was thought dead writes later finds no row.
import type { Fragment, Sql } from "postgres";
import { available, isLockTimeout } from "../../db/database.js";
import { withParameters, type QueuedJob, type QueuedJobSnapshot } from "../../domain/queued-job.js";
import { MAX_DELAY_MS } from "../../queue/hint-queue.js";
import type { Logger } from "../../runtime/logger.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import { DATABASE, type Committer } from "./commit.js";
import { createOwnerBatch } from "./owner-batch.js";
import { briefLocks, hasOwner, stepColumns, withSnapshots, type Step } from "./statements.js";
import { transition, transitionMany } from "./transition.js";

/** Which attempt of which QueuedJob. */
export interface Attempt {
  id: string;
  attempt: number;
}

/** An attempt under way, as the worker that claimed it knows it. */
export interface Claimed extends Attempt {
  queuedJob: QueuedJob;
  /** As its events show it. */
  snapshot: QueuedJobSnapshot;
  /** Failed attempts before this one, since the last submission or retry. */
  failures: number;
  requestId: string;
  /**
   * Attempts that died with their worker before this one: such a QueuedJob is under suspicion, and
   * must run where it harms no other.
   */
  stalls: number;
  /** The number of its STARTED event. */
  startedSeq: number;
  /** By `performance.now()`: its lease began no earlier. */
  leasedAt: number;
}

/** How long a worker that says nothing is taken for living. */
const LEASE_SECONDS = 30;

export interface Claim {
  id: string;
  run: number;
  worker: string;
  /** Absent from hints that an older version added. */
  userId?: string | undefined;
}

export interface ClaimsDeps {
  sql: Sql;
  /** The names of those that may be claimed. */
  jobs: string[];
  committer: Committer;
  tracer?: Tracer;
  log: Logger;
}

interface ClaimStep extends Step {
  /** When its statement was sent, by `performance.now()`: its lease began later. */
  sentAt: number;
}

/** What one statement claims at most: as many as a worker runs at once. */
const MAX_ITEMS = 100;
/** Before a row that somebody else has locked is claimed again. */
const LOCKED_MS = 1000;

export function createClaims({ sql, jobs, committer, tracer = noTracer, log }: ClaimsDeps) {
  const claimInBatch = createClaimBatch({ sql, jobs, committer });
  return {
    /**
     * A worker's first act on a hint; null when there is nothing to do, or not yet: see
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
     * What `start` has recorded when it failed because the answer was lost; null when it has not.
     * Only for a run whose attempt is not under way: a worker may hold the same hint twice.
     */
    async adopt(request: Claim): Promise<Claimed | null> {
      const leasedAt = performance.now();
      const step = await committer.commitOne("claim", () => adopt(sql, request));
      if (step) log.info({ queuedJobId: request.id }, "adopted a claim whose answer was lost");
      return step && toClaimed(step, leasedAt);
    },

    /**
     * Milliseconds until a hint that could not be used is to be tried again; null when it is spent.
     */
    async claimableIn(request: Claim): Promise<number | null> {
      const ms = await available(() => claimableIn(sql, request, jobs));
      if (ms === null || ms > MAX_DELAY_MS) return null;
      return ms === 0 ? LOCKED_MS : ms;
    },

    /** Which are still this worker's; one that is missing was cancelled or given to another. */
    renewLeases: (worker: string, attempts: Attempt[]): Promise<Renewal> =>
      available(() => renewLeases(sql, worker, attempts)),
  };
}

/** Claims together what wait; rejects at once with a lock timeout while a counter is locked. */
function createClaimBatch({
  sql,
  jobs,
  committer,
}: Pick<ClaimsDeps, "sql" | "jobs" | "committer">) {
  async function commit(write: () => Promise<(Step | null)[]>): Promise<(ClaimStep | null)[]> {
    const sentAt = performance.now();
    const steps = await committer.commit({ step: "claim", write, eventsOf: (made) => made });
    return steps.map((step) => step && { ...step, sentAt });
  }
  return createOwnerBatch<Claim, ClaimStep | null>({
    lanes: 1,
    maxItems: MAX_ITEMS,
    keyOf: ({ id }) => id,
    // In one lane: what is first in the queue is to be claimed first.
    laneOf: () => "",
    ownerOf: ({ userId, id }) => userId ?? id,
    timeoutMs: 0,
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
 * PENDING → STARTED, when it is due, this is its present run, and the worker knows its task: in a
 * roll-out an older one may not.
 */
export function claim(sql: Sql, { id, run, worker }: Claim, jobs: string[]): Promise<Step | null> {
  const where = sql`id = ${id} and ${mayClaim(sql, sql`${run}`, jobs)} and ${briefLocks(sql)}`;
  return transition(sql, { step: "claim", where, set: lease(sql, sql`${worker}`), pending: 0 });
}

/** `claim` of several, all in one statement; leaves out rows that somebody else has locked. */
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
  });
}

function mayClaim(sql: Sql, run: Fragment, jobs: string[]): Fragment {
  return sql`run = ${run} and due_at <= clock_timestamp() and job_name = any(${jobs})`;
}

function lease(sql: Sql, worker: Fragment): Fragment {
  return sql`, attempts = attempts + 1, worker = ${worker}, ${leaseUntil(sql)}, progress = 0,
    progress_message = null, error_code = null, error_message = null, started_at = now()`;
}

function leaseUntil(sql: Sql): Fragment {
  return sql`lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'`;
}

/**
 * Milliseconds until a row that was not claimed can be: 0 for one that is due and was locked, null
 * for one of which this run is over.
 */
async function claimableIn(sql: Sql, { id, run }: Claim, jobs: string[]): Promise<number | null> {
  const [row] = await sql<{ ms: number }[]>`
    select greatest(0, extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as ms
    from queued_jobs
    where id = ${id} and run = ${run} and status = 'PENDING' and job_name = any(${jobs})
      and ${hasOwner(sql)}`;
  return row?.ms ?? null;
}

/**
 * What an earlier claim by the same worker has recorded, when its answer was lost; null when none
 * has. Its lease begins again.
 */
async function adopt(sql: Sql, { id, run, worker }: Claim): Promise<Step | null> {
  const [step] = await sql<Step[]>`
    with t as (
      update queued_jobs set ${leaseUntil(sql)}
      where id = ${id} and run = ${run} and worker = ${worker} and status = 'STARTED'
        and ${briefLocks(sql)} returning *),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`)})
    select ${stepColumns(sql, "claim")}, s.pending
    from j join user_streams s on s.user_id = j.user_id
      cross join lateral (
        select seq, at, type from queued_job_events where queued_job_id = j.id
        order by seq desc limit 1) e`;
  return step ?? null;
}

/** Ids of QueuedJobs of which a worker runs the present attempt. */
export interface Renewal {
  renewed: Set<string>;
  /** Still its own, but locked by somebody else: their leases run on as they were. */
  locked: Set<string>;
}

/**
 * Renews the leases of all that a process runs; what is missing in the answer is not its own any
 * more.
 */
async function renewLeases(sql: Sql, worker: string, attempts: Attempt[]): Promise<Renewal> {
  const rows = await sql<{ id: string; isRenewed: boolean }[]>`
    with mine as (
      select id, attempts from queued_jobs
      join unnest(${attempts.map((a) => a.id)}::uuid[], ${attempts.map((a) => a.attempt)}::int[])
        as a(item_id, item_attempt) on id = item_id and attempts = item_attempt
      where status = 'STARTED' and worker = ${worker} and ${hasOwner(sql)}),
    free as (
      select q.id from mine m join queued_jobs q on q.id = m.id and q.attempts = m.attempts
      where q.status = 'STARTED' and q.worker = ${worker} for no key update of q skip locked),
    renewed as (
      update queued_jobs q set ${leaseUntil(sql)} from free where q.id = free.id returning q.id)
    select m.id, r.id is not null as "isRenewed" from mine m left join renewed r on r.id = m.id`;
  const idsOf = (isRenewed: boolean) =>
    new Set(rows.filter((row) => row.isRenewed === isRenewed).map(({ id }) => id));
  return { renewed: idsOf(true), locked: idsOf(false) };
}

export function fence(sql: Sql, { id, attempt }: Attempt): Fragment {
  return sql`id = ${id} and attempts = ${attempt} and ${hasOwner(sql)}`;
}
