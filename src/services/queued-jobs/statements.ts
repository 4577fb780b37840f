// The shared parts of the service's statements. A step is one statement. It updates the row under a
// guard (compare and set), then the owner's counter, and then inserts the event. Lock order
// everywhere: QueuedJobs, counters, photos.
import type { Fragment, Sql } from "postgres";
import { isStorable } from "../../domain/is-storable.js";
import type { QueuedJob, QueuedJobEvent } from "../../domain/queued-job.js";
import type {
  LoggedEventType,
  QueuedJobStatus,
  TRANSITIONS,
} from "../../domain/queued-job-status.js";

/** The result of a step: its event, and values of the row that only the service uses. */
export interface Step extends QueuedJobEvent {
  type: LoggedEventType;
  /** The parameters, if the snapshot of a claim omits them; null otherwise. */
  parameters?: QueuedJob["parameters"] | null;
  run: number;
  failures: number;
  stalls: number;
  requestId: string;
  /** W3C trace context of the request; undefined to use the current one. */
  traceparent?: string | undefined;
  /** Number of unfinished QueuedJobs of the owner, including this one if it is unfinished. */
  pending: number;
}

/** Builds the JSON of type QueuedJob from the row `t`. `outputs` is an expression of type jsonb. */
export function queuedJobJson(sql: Sql, outputs: Fragment): Fragment {
  return sql`jsonb_build_object(
    'parameters', t.parameters, 'result', t.result, ${jsonParts(sql, outputs, sql`t.version`)})`;
}

/** Builds all fields except those that may be large. */
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

/** Reads the recorded outputs of the row `t`, for `queuedJobJson`. */
export function recordedOutputs(sql: Sql): Fragment {
  return sql`coalesce((
    select jsonb_agg(jsonb_build_object('name', o.name, 'mimeType', o.mime_type, 'byteSize',
      o.byte_size, 'width', o.width, 'height', o.height) order by o.position)
    from queued_job_outputs o where o.queued_job_id = t.id), '[]'::jsonb)`;
}

/** Maximum length, as JSON text, of parameters and results in snapshots. */
export const MAX_SNAPSHOT_VALUE_BYTES = 8192;

/**
 * Adds to the rows of `t` their snapshots and the lengths that count as recorded bytes. `offset 0`
 * keeps PostgreSQL from computing an expression more than once. The limit is a literal, because a
 * parameter would cost more in every step.
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
 * Computes the maximum bytes that a submission needs until it starts: its parameters in the row and
 * in an event. `parameters` is an expression of type jsonb.
 */
export function bytesNeeded(sql: Sql, parameters: Fragment): Fragment {
  return sql`(2 * octet_length(${parameters}::text) + 1000)`;
}

/** The columns of `set` that change when a row finishes; it is kept for `ttlSeconds`. */
export function finish(sql: Sql, ttlSeconds: number): Fragment {
  return sql`, lease_until = null, progress_message = null,
    finished_at = now(), expires_at = now() + ${ttlSeconds} * interval '1 second'`;
}

/**
 * The columns of a Step, from a row of `j` and its event `e`. Parameters are included only for a
 * claim, because only a worker needs them.
 */
export function stepColumns(sql: Sql, step: keyof typeof TRANSITIONS): Fragment {
  const parameters = sql`case when j.parameter_bytes > 8192 then j.parameters end as parameters,`;
  return sql`e.seq::float8 as seq, rfc3339(e.at) as at, e.type, j.snapshot as "queuedJob",
    ${step === "claim" ? parameters : sql``}
    j.run, j.failures, j.stalls, j.request_id as "requestId"`;
}

/** Excludes rows of a deleted account, whose counter is deleted first. */
export function hasOwner(sql: Sql): Fragment {
  return sql`exists (select from user_streams u where u.user_id = queued_jobs.user_id)`;
}

/** Maximum lock wait of a statement that writes rows of several users. */
const LOCK_TIMEOUT_MS = 250;

/**
 * A condition that is always true and limits the lock wait of its statement. A statement must
 * evaluate it before its first lock. The limit ends with the statement and costs no round trip.
 */
export function briefLocks(sql: Sql): Fragment {
  return sql`(select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)) is not null`;
}

/** Selects QueuedJobs; null matches all. */
export interface QueuedJobFilter {
  statuses: readonly QueuedJobStatus[] | null;
  jobs: readonly string[] | null;
}

/**
 * Conditions on the row `t`; the text begins with `and`, or is empty. A name that PostgreSQL cannot
 * store matches no Job.
 */
export function filterCondition(sql: Sql, { statuses, jobs }: QueuedJobFilter): Fragment {
  const names = jobs?.filter(isStorable);
  return sql`${statuses ? sql`and t.status = any(${[...statuses]})` : sql``}
    ${names ? sql`and t.job_name = any(${names})` : sql``}`;
}
