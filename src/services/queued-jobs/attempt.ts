// The steps of an attempt, made by workers. The number of the attempt is the fence: what one that
// was thought dead writes later finds no row.
import type { Fragment, Sql } from "postgres";
import { sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import type { Instant, TaskSuccess } from "../../domain/queued-job.js";
import { quotaExceeded } from "../photos/quota-exceeded.js";
import { briefLocks } from "./brief-locks.js";
import { reuseKey } from "./reuse.js";
import {
  finish,
  MAX_SNAPSHOT_VALUE_BYTES,
  stepColumns,
  transition,
  withSnapshots,
  type Step,
} from "./statements.js";
import { transitionMany } from "./transition-many.js";

/** Which attempt of which QueuedJob. */
export interface Attempt {
  id: string;
  attempt: number;
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
  return sql`run = ${run} and due_at <= clock_timestamp() and job_name = any(${jobs})
    and ${hasOwner(sql)}`;
}

/** The counter goes first when an account is deleted: no step is made of a row that is left. */
function hasOwner(sql: Sql): Fragment {
  return sql`exists (select from user_streams u where u.user_id = queued_jobs.user_id)`;
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
export async function claimableIn(
  sql: Sql,
  { id, run }: Claim,
  jobs: string[],
): Promise<number | null> {
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
export async function adopt(sql: Sql, { id, run, worker }: Claim): Promise<Step | null> {
  const [step] = await sql<Step[]>`
    with t as (
      update queued_jobs set ${leaseUntil(sql)}
      where id = ${id} and run = ${run} and worker = ${worker} and status = 'STARTED'
        and ${briefLocks(sql)} returning *),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`)})
    select e.seq::float8 as seq, rfc3339(e.at) as at, ${stepColumns(sql, "claim")}, s.pending
    from j join user_streams s on s.user_id = j.user_id
      cross join lateral (
        select seq, at from queued_job_events where queued_job_id = j.id
        order by seq desc limit 1) e`;
  return step ?? null;
}

/** Of a task without photos: it makes no files, and its result is small and is not reused. */
export interface PlainSuccess extends Attempt {
  /** JSON text. */
  result: string;
}

/** Whether a result is recorded even where its owner has no room. */
export function isSmall(result: string): boolean {
  return Buffer.byteLength(result) <= MAX_SNAPSHOT_VALUE_BYTES;
}

export interface Success extends PlainSuccess, Omit<TaskSuccess, "result"> {
  /** Null: its result may not be reused. */
  resultVersion: number | null;
  ttlSeconds: number;
  /** What the photos and outputs of its owner may take. */
  maxStoredBytes: number;
  /** What its owner may have in the database. A small result is recorded beyond it. */
  maxRecordedBytes: number;
}

/**
 * Throws QuotaExceededError, and records nothing, when there is no room for its outputs or its
 * result.
 */
export async function succeed(sql: Sql, success: Success): Promise<Step | null> {
  try {
    return await recordSuccess(sql, success);
  } catch (error) {
    if (sqlState(error) === OVER_QUOTA) throw quotaExceeded.storedBytes(success.maxStoredBytes);
    if (sqlState(error) === OVER_RECORDED)
      throw quotaExceeded.recordedBytes(success.maxRecordedBytes);
    throw error;
  }
}

/** `succeed` of several such, all in one statement. */
export function succeedMany(
  sql: Sql,
  successes: PlainSuccess[],
  ttlSeconds: number,
): Promise<(Step | null)[]> {
  return transitionMany(sql, {
    step: "succeed",
    ids: successes.map(({ id }) => id),
    more: {
      arrays: sql`${successes.map(({ attempt }) => attempt)}::int[],
        ${successes.map(({ result }) => result)}::text[]`,
      columns: sql`item_attempt, item_result`,
    },
    where: sql`attempts = i.item_attempt and ${hasOwner(sql)}`,
    set: sql`, result = i.item_result::jsonb, progress = 1, error_code = null,
      error_message = null ${finish(sql, ttlSeconds)}`,
    pending: -1,
    brief: true,
  });
}

function recordSuccess(
  sql: Sql,
  {
    id,
    attempt,
    result,
    outputs,
    reusedFrom,
    resultVersion,
    ttlSeconds,
    maxStoredBytes,
    maxRecordedBytes,
  }: Success,
): Promise<Step | null> {
  const told = outputs.map(({ storageKey: _, ...output }) => output);
  const record = sql`
    insert into queued_job_outputs (queued_job_id, position, name, mime_type, byte_size, width,
      height, storage_key)
    select t.id, o.position, o.name, o.mime, o.bytes, o.width, o.height, o.key
    from t, unnest(${outputs.map((o) => o.name)}::text[], ${outputs.map((o) => o.mimeType)}::text[],
      ${outputs.map((o) => o.byteSize)}::bigint[],
      ${outputs.map((o) => o.width)}::int[], ${outputs.map((o) => o.height)}::int[],
      ${outputs.map((o) => o.storageKey)}::text[])
      with ordinality as o(name, mime, bytes, width, height, key, position)`;
  return transition(sql, {
    step: "succeed",
    where: fence(sql, { id, attempt }),
    set: sql`, result = ${result}::jsonb, progress = 1, error_code = null, error_message = null,
      reused_from = ${reusedFrom},
      reuse_key = ${resultVersion === null ? null : reuseKey(sql, resultVersion)}
      ${finish(sql, ttlSeconds)}`,
    pending: -1,
    ...(!isSmall(result) && { maxRecordedBytes }),
    ...(outputs.length > 0 && {
      outputs: {
        json: JSON.stringify(told),
        bytes: outputs.reduce((sum, o) => sum + o.byteSize, 0),
        maxStoredBytes,
        record,
      },
    }),
  });
}

export function fail(
  sql: Sql,
  {
    id,
    attempt,
    code,
    message,
    ttlSeconds,
  }: Attempt & { code: string; message: string; ttlSeconds: number },
): Promise<Step | null> {
  return transition(sql, {
    step: "fail",
    where: fence(sql, { id, attempt }),
    set: sql`, failures = failures + 1, error_code = ${code},
      error_message = ${message} ${finish(sql, ttlSeconds)}`,
    pending: -1,
  });
}

/** Back to PENDING after a failed attempt, due after `delayMs`. */
export function backOff(
  sql: Sql,
  {
    id,
    attempt,
    code,
    message,
    delayMs,
  }: Attempt & { code: string; message: string; delayMs: number },
): Promise<Step | null> {
  return transition(sql, {
    step: "backOff",
    where: fence(sql, { id, attempt }),
    set: sql`, run = run + 1, failures = failures + 1, lease_until = null, error_code = ${code},
      error_message = ${message}, due_at = clock_timestamp() + ${delayMs} * interval
      '1 millisecond'`,
    pending: 0,
  });
}

/**
 * Back to PENDING because the worker stops, or the storage is away: neither a failure nor a death.
 * Due after `delayMs`.
 */
export function handBack(
  sql: Sql,
  { delayMs, ...attempt }: Attempt & { delayMs: number },
): Promise<Step | null> {
  return transition(sql, {
    step: "backOff",
    where: fence(sql, attempt),
    set: sql`, run = run + 1, lease_until = null, due_at = clock_timestamp() + ${delayMs} * interval
      '1 millisecond'`,
    pending: 0,
  });
}

/** Deaths of its worker after which a QueuedJob is given up. */
const MAX_STALLS = 2;
const STALL_MESSAGE = "The worker that ran it died or lost touch.";

/**
 * The lease of this attempt lapsed: back to PENDING, or FAILED at the second death. Null while
 * somebody else has its row locked: a later try must not wait, since others lapse, too.
 */
export async function stall(
  sql: Sql,
  { id, attempt, ttlSeconds }: Attempt & { ttlSeconds: number },
): Promise<Step | null> {
  const lapsed = sql`id = (
    select id from queued_jobs
    where ${fence(sql, { id, attempt })} and lease_until < clock_timestamp()
    for no key update skip locked) and ${briefLocks(sql)}`;
  const again = await transition(sql, {
    step: "backOff",
    where: sql`${lapsed} and stalls + 1 < ${MAX_STALLS}`,
    set: sql`, run = run + 1, stalls = stalls + 1, lease_until = null, error_code = 'STALLED',
      error_message = ${STALL_MESSAGE}, due_at = clock_timestamp()`,
    pending: 0,
  });
  if (again) return again;
  return transition(sql, {
    step: "fail",
    where: sql`${lapsed} and stalls + 1 >= ${MAX_STALLS}`,
    set: sql`, stalls = stalls + 1, error_code = 'STALLED', error_message =
      ${`${STALL_MESSAGE} It happened ${MAX_STALLS} times, so it is not tried again.`}
      ${finish(sql, ttlSeconds)}`,
    pending: -1,
  });
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
export async function renewLeases(sql: Sql, worker: string, attempts: Attempt[]): Promise<Renewal> {
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

export interface Progress extends Attempt {
  progress: number;
  message: string | null;
}

export interface RecordedProgress {
  progress: number;
  updatedAt: Instant;
}

/**
 * Records how far attempts are, which never falls; null of those that are over or locked. No
 * version, no number, no event in the log.
 */
export async function recordProgress(
  sql: Sql,
  reports: Progress[],
): Promise<(RecordedProgress | null)[]> {
  const rows = await sql<(RecordedProgress & { id: string })[]>`
    with i as materialized (
      select * from unnest(${reports.map(({ id }) => id)}::uuid[],
        ${reports.map(({ attempt }) => attempt)}::int[],
        ${reports.map(({ progress }) => progress)}::float8[],
        ${reports.map(({ message }) => message)}::text[])
        as i(item_id, item_attempt, item_progress, item_message) order by item_id),
    l as materialized (
      select i.* from i cross join lateral (select from queued_jobs where id = i.item_id
        and attempts = i.item_attempt and status = 'STARTED' for no key update skip locked) q)
    update queued_jobs set progress = greatest(progress, l.item_progress),
      progress_message = l.item_message, updated_at = now()
    from l where id = l.item_id returning id, progress, rfc3339(updated_at) as "updatedAt"`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return reports.map(({ id }) => byId.get(id) ?? null);
}

function fence(sql: Sql, { id, attempt }: Attempt): Fragment {
  return sql`id = ${id} and attempts = ${attempt} and ${hasOwner(sql)}`;
}
