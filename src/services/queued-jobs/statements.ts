// The statements of the waist. A step is one statement: a guarded UPDATE of the row (compare and set), then the owner's
// counter, then the event row. Lock order, everywhere: rows of QueuedJobs, then counters, then photos.
import type { Fragment, Sql } from "postgres";
import { OVER_QUOTA, PHOTO_GONE } from "../../db/refusals.js";
import type { Instant, QueuedJob } from "../../queued-job.js";
import { TRANSITIONS } from "../../queued-job-status.js";

/** What a step leaves behind: its event, and what only the service itself may know of the row. */
export interface Step {
  seq: number;
  at: Instant;
  queuedJob: QueuedJob;
  run: number;
  failures: number;
  stalls: number;
  requestId: string;
  /** W3C's, of the request that made it; undefined where it is to be taken from what is under way. */
  traceparent?: string | undefined;
  /** Unfinished QueuedJobs of the owner, this one included where it is unfinished. */
  pending: number;
}

/** The row `t` as JSON of the type QueuedJob. `outputs` is an expression of type jsonb. */
export function queuedJobJson(sql: Sql, outputs: Fragment): Fragment {
  return sql`jsonb_build_object(
    'id', t.id, 'userId', t.user_id, 'jobName', t.job_name, 'status', t.status, 'parameters', t.parameters,
    'photoCount', t.photo_count, 'priority', t.priority, 'runAt', rfc3339(t.run_at),
    'progress', t.progress, 'progressMessage', t.progress_message, 'attempts', t.attempts,
    'result', t.result, 'outputs', ${outputs},
    'error', case when t.error_code is not null then jsonb_build_object('code', t.error_code, 'message', t.error_message) end,
    'version', t.version, 'createdAt', rfc3339(t.created_at), 'updatedAt', rfc3339(t.updated_at),
    'startedAt', rfc3339(t.started_at), 'finishedAt', rfc3339(t.finished_at), 'expiresAt', rfc3339(t.expires_at),
    'reusedFrom', t.reused_from)`;
}

/** The recorded outputs of the row `t`, for queuedJobJson. */
export function recordedOutputs(sql: Sql): Fragment {
  return sql`coalesce((
    select jsonb_agg(jsonb_build_object('name', o.name, 'mimeType', o.mime_type, 'byteSize', o.byte_size, 'width', o.width, 'height', o.height) order by o.position)
    from queued_job_outputs o where o.queued_job_id = t.id), '[]'::jsonb)`;
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
  /** The owner may have at most so many unfinished ones; the whole statement fails with OVER_QUOTA otherwise. */
  maxPending?: number;
  /** All its photos must be there; the whole statement fails with PHOTO_GONE otherwise. */
  needsPhotos?: boolean;
  /** Outputs as they are told, and a further expression that records them. */
  outputs?: { json: string; bytes: number; record: Fragment; /** The whole statement fails with OVER_QUOTA when the owner's files would take more. */ maxStoredBytes: number };
}

/** One step of one row; no row comes back when the guard does not hold: somebody else was first. */
export async function transition(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  const { from, to, event } = TRANSITIONS[parts.step];
  const outputs = parts.outputs ? sql`${parts.outputs.json}::jsonb` : sql`'[]'::jsonb`;
  const [step] = await sql<Step[]>`
    with t as (
      update queued_jobs set status = ${to}, version = version + 1, updated_at = now() ${parts.set}
      where status = any(${[...from]}) and ${parts.where} returning *),
    s as (
      update user_streams u set last_seq = u.last_seq + 1, pending = u.pending + ${parts.pending}, stored_bytes = u.stored_bytes + ${parts.outputs?.bytes ?? 0}
      from t where u.user_id = t.user_id ${parts.maxPending === undefined ? sql`` : sql`and u.pending < ${parts.maxPending}`}
        ${parts.outputs === undefined ? sql`` : sql`and u.stored_bytes + ${parts.outputs.bytes} <= ${parts.outputs.maxStoredBytes}`}
      returning u.last_seq, u.pending),
    ${parts.outputs ? sql`o as (${parts.outputs.record}),` : sql``}
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql)}),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select t.user_id, s.last_seq, t.id, ${event}, now(), ${queuedJobJson(sql, outputs)} from t, s
      returning seq, at, snapshot)
    select e.seq::float8 as seq, rfc3339(e.at) as at, e.snapshot as "queuedJob", t.run, t.failures, t.stalls, t.request_id as "requestId", s.pending,
      case when e.seq is null then refuse(${OVER_QUOTA}) ${parts.needsPhotos ? sql`when (select count(*) from p) <> t.photo_count then refuse(${PHOTO_GONE})` : sql``} end as refused
    from t left join s on true left join e on true`;
  return step ?? null;
}

/**
 * The photos of the row `t`, which nobody can delete from now on. Behind the counter `s`, as deleting a photo takes the two,
 * and not by the links alone: while this statement waited for the counter, they may have gone with their photo.
 */
function lockedPhotos(sql: Sql): Fragment {
  return sql`select x.id from t join s on true join queued_job_photos l on l.queued_job_id = t.id join photos x on x.id = l.photo_id for key share of x`;
}
