// The statements of the waist. A step is one statement: a guarded UPDATE of the row (compare and
// set), then the owner's counter, then the event row. Lock order, everywhere: rows of QueuedJobs,
// then counters, then photos.
import type { Fragment, Sql } from "postgres";
import { sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../db/refusals.js";
import type { Instant, QueuedJob, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { TRANSITIONS } from "../../domain/queued-job-status.js";

/** What a step leaves behind: its event, and what only the service itself may know of the row. */
export interface Step {
  seq: number;
  at: Instant;
  queuedJob: QueuedJobSnapshot;
  /** The parameters where the snapshot of a claim has left them out; null otherwise. */
  parameters?: QueuedJob["parameters"] | null;
  run: number;
  failures: number;
  stalls: number;
  requestId: string;
  /**
   * W3C's, of the request that made it; undefined where it is to be taken from what is under way.
   */
  traceparent?: string | undefined;
  /** Unfinished QueuedJobs of the owner, this one included where it is unfinished. */
  pending: number;
}

/** The row `t` as JSON of the type QueuedJob. `outputs` is an expression of type jsonb. */
export function queuedJobJson(sql: Sql, outputs: Fragment): Fragment {
  return sql`jsonb_build_object(
    'parameters', t.parameters, 'result', t.result, ${jsonParts(sql, outputs, sql`t.version`)})`;
}

/** All but what may be large. */
function jsonParts(sql: Sql, outputs: Fragment, version: Fragment): Fragment {
  return sql`
    'id', t.id, 'userId', t.user_id, 'jobName', t.job_name, 'status', t.status,
    'photoCount', t.photo_count, 'priority', t.priority, 'runAt', rfc3339(t.run_at),
    'progress', t.progress, 'progressMessage', t.progress_message, 'attempts', t.attempts,
    'outputs', ${outputs},
    'error', case when t.error_code is not null
    then jsonb_build_object('code', t.error_code, 'message', t.error_message) end,
    'version', ${version}, 'createdAt', rfc3339(t.created_at), 'updatedAt', rfc3339(t.updated_at),
    'startedAt', rfc3339(t.started_at), 'finishedAt', rfc3339(t.finished_at), 'expiresAt',
    rfc3339(t.expires_at),
    'reusedFrom', t.reused_from`;
}

/** The recorded outputs of the row `t`, for queuedJobJson. */
export function recordedOutputs(sql: Sql): Fragment {
  return sql`coalesce((
    select jsonb_agg(jsonb_build_object('name', o.name, 'mimeType', o.mime_type, 'byteSize',
      o.byte_size, 'width', o.width, 'height', o.height) order by o.position)
    from queued_job_outputs o where o.queued_job_id = t.id), '[]'::jsonb)`;
}

/** Length as JSON text above which parameters and results are left out of snapshots. */
export const MAX_SNAPSHOT_VALUE_BYTES = 8192;

/**
 * The rows of `t` with their snapshots, and with the lengths as JSON text that count as recorded
 * bytes. `offset 0` keeps PostgreSQL from computing an expression again wherever it is named. The
 * limit is a literal, since a parameter costs more on every step.
 */
export function withSnapshots(sql: Sql, outputs: Fragment, version = sql`t.version`): Fragment {
  return sql`
    select t.*, b.*, x.snapshot, octet_length(x.snapshot::text) as event_bytes
    from t
    cross join lateral (
      select octet_length(t.parameters::text) as parameter_bytes,
        coalesce(octet_length(t.result::text), 0) as result_bytes offset 0) b
    cross join lateral (
      select jsonb_build_object(
        'parameters', case when b.parameter_bytes <= 8192 then t.parameters end,
        'result', case when b.result_bytes <= 8192 then t.result
        end, ${jsonParts(sql, outputs, version)})
        - case when b.parameter_bytes <= 8192 and b.result_bytes <= 8192 then '{}'::text[]
          when b.result_bytes <= 8192 then '{parameters}'
          when b.parameter_bytes <= 8192 then '{result}' else '{parameters,result}' end
        as snapshot offset 0) x`;
}

/**
 * The bytes that a submission needs at most until it starts: its parameters in the row and in an
 * event. `parameters` is an expression of type jsonb.
 */
export function bytesNeeded(sql: Sql, parameters: Fragment): Fragment {
  return sql`(2 * octet_length(${parameters}::text) + 1000)`;
}

/** What changes in a row that finishes, for `set`: it is kept for so long. */
export function finish(sql: Sql, ttlSeconds: number): Fragment {
  return sql`, lease_until = null, progress_message = null,
    finished_at = now(), expires_at = now() + ${ttlSeconds} * interval '1 second'`;
}

export interface TransitionParts {
  /** Names the statuses that may be left, the one entered, and the event. */
  step: Exclude<keyof typeof TRANSITIONS, "enqueue" | "delete">;
  /** Which row, and what else must hold for it. */
  where: Fragment;
  /** What changes besides status and version; begins with a comma. */
  set: Fragment;
  /** By how much the owner's count of unfinished ones changes. */
  pending: -1 | 0 | 1;
  /**
   * The owner may have at most so many unfinished ones; the whole statement fails with OVER_QUOTA
   * otherwise.
   */
  maxPending?: number;
  /**
   * The owner may have at most so many recorded bytes; the whole statement fails with OVER_RECORDED
   * otherwise.
   */
  maxRecordedBytes?: number | undefined;
  /** All its photos must be there; the whole statement fails with PHOTO_GONE otherwise. */
  needsPhotos?: boolean;
  /** Outputs as they are told, and a further expression that records them. */
  outputs?: {
    json: string;
    bytes: number;
    record: Fragment;
    /** The whole statement fails with OVER_QUOTA when the owner's files would take more. */
    maxStoredBytes: number;
  };
}

/**
 * One step of one row; null when the guard does not hold, since somebody else was first, or when
 * its account is closed.
 */
export async function transition(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  try {
    return await record(sql, parts);
  } catch (error) {
    if (sqlState(error) === OVER_QUOTA && (await isOfClosedAccount(sql, parts.where))) return null;
    throw error;
  }
}

/** A closed account has no counters: the statement cannot tell that from a quota. */
async function isOfClosedAccount(sql: Sql, where: Fragment): Promise<boolean> {
  const rows = await sql`
    select from queued_jobs where ${where} and exists (select from user_streams u
      where u.user_id = queued_jobs.user_id)`;
  return rows.length === 0;
}

async function record(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  const { from, to, event } = TRANSITIONS[parts.step];
  const outputs = parts.outputs ? sql`${parts.outputs.json}::jsonb` : sql`'[]'::jsonb`;
  const [step] = await sql<Step[]>`
    with t as (
      update queued_jobs set status = ${to}, version = version + 1, updated_at = now() ${parts.set}
      where status = any(${[...from]}) and ${parts.where} returning *),
    j as materialized (${withSnapshots(sql, outputs)}),
    s as (
      update user_streams u set last_seq = u.last_seq + 1, pending = u.pending + ${parts.pending},
        stored_bytes = u.stored_bytes + ${parts.outputs?.bytes ?? 0},
        recorded_bytes = u.recorded_bytes + ${recordedBy(sql, parts.step)}
      from j where u.user_id = j.user_id
      returning u.last_seq, u.pending, u.stored_bytes, u.recorded_bytes),
    ${parts.outputs ? sql`o as (${parts.outputs.record}),` : sql``}
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql)}),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.last_seq, j.id, ${event}, now(), j.snapshot, j.event_bytes from j, s
      returning seq, at)
    select e.seq::float8 as seq, rfc3339(e.at) as at, ${stepColumns(sql, parts.step)}, s.pending,
      ${refusals(sql, parts)} as refused
    from j left join s on true left join e on true`;
  return step ?? null;
}

/**
 * Fails the statement where a counter is past its limit, or not there, or where a photo is gone.
 */
function refusals(
  sql: Sql,
  { maxPending, maxRecordedBytes, needsPhotos, outputs }: TransitionParts,
): Fragment {
  const none = sql``;
  return sql`case
    when e.seq is null then refuse(${OVER_QUOTA})
    ${
      maxPending === undefined
        ? none
        : sql`when s.pending > ${maxPending}
    then refuse(${OVER_QUOTA})`
    }
    ${
      outputs
        ? sql`when s.stored_bytes > ${outputs.maxStoredBytes}
    then refuse(${OVER_QUOTA})`
        : none
    }
    ${
      maxRecordedBytes === undefined
        ? none
        : sql`
    when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED})`
    }
    ${
      needsPhotos
        ? sql`
    when (select count(*) from p) <> j.photo_count then refuse(${PHOTO_GONE})`
        : none
    } end`;
}

/** Recorded bytes that a step adds for a row of `j`: its event, and a result if it succeeds. */
export function recordedBy(sql: Sql, step: TransitionParts["step"]): Fragment {
  return step === "succeed" ? sql`j.event_bytes + j.result_bytes` : sql`j.event_bytes`;
}

/** What a Step has of a row of `j`. The parameters are only returned where a worker needs them. */
export function stepColumns(sql: Sql, step: keyof typeof TRANSITIONS): Fragment {
  const parameters = sql`case when j.parameter_bytes > 8192 then j.parameters end as parameters,`;
  return sql`j.snapshot as "queuedJob", ${step === "claim" ? parameters : sql``}
    j.run, j.failures, j.stalls, j.request_id as "requestId"`;
}

/**
 * The photos of the row `t`, which nobody can delete from now on. Behind the counter `s`, as
 * deleting a photo takes the two, and not by the links alone: while this statement waited for the
 * counter, they may have gone with their photo.
 */
function lockedPhotos(sql: Sql): Fragment {
  return sql`select x.id from t join s on true join queued_job_photos l on l.queued_job_id = t.id
    join photos x on x.id = l.photo_id for key share of x`;
}
