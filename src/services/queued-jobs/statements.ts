// What the statements of the service share. A step is one statement: a guarded UPDATE of the row
// (compare and set), then the owner's counter, then the event row. Lock order, everywhere: rows of
// QueuedJobs, then counters, then photos.
import type { Fragment, Sql } from "postgres";
import { isStorable } from "../../domain/is-storable.js";
import type { QueuedJob, QueuedJobEvent } from "../../domain/queued-job.js";
import type {
  LoggedEventType,
  QueuedJobStatus,
  TRANSITIONS,
} from "../../domain/queued-job-status.js";

/** What a step leaves behind: its event, and what only the service itself may know of the row. */
export interface Step extends QueuedJobEvent {
  type: LoggedEventType;
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

/**
 * What a Step has of a row of `j` and its event `e`. The parameters are only returned where a
 * worker needs them.
 */
export function stepColumns(sql: Sql, step: keyof typeof TRANSITIONS): Fragment {
  const parameters = sql`case when j.parameter_bytes > 8192 then j.parameters end as parameters,`;
  return sql`e.seq::float8 as seq, rfc3339(e.at) as at, e.type, j.snapshot as "queuedJob",
    ${step === "claim" ? parameters : sql``}
    j.run, j.failures, j.stalls, j.request_id as "requestId"`;
}

/** The counter goes first when an account is deleted: no step is made of a row that is left. */
export function hasOwner(sql: Sql): Fragment {
  return sql`exists (select from user_streams u where u.user_id = queued_jobs.user_id)`;
}

/** Maximum wait for a lock of a statement that writes rows of several users. */
const LOCK_TIMEOUT_MS = 250;

/**
 * A condition that always holds, for what a statement reads before it takes its first lock: it then
 * waits only briefly for one. Set so, the limit ends with the statement and costs no round trip.
 */
export function briefLocks(sql: Sql): Fragment {
  return sql`(select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)) is not null`;
}

/** Which QueuedJobs; null takes all. */
export interface QueuedJobFilter {
  statuses: readonly QueuedJobStatus[] | null;
  jobs: readonly string[] | null;
}

/**
 * Conditions on the row `t`; begins with `and`, or is empty. A name that PostgreSQL does not take
 * is no Job's.
 */
export function filterCondition(sql: Sql, { statuses, jobs }: QueuedJobFilter): Fragment {
  const names = jobs?.filter(isStorable);
  return sql`${statuses ? sql`and t.status = any(${[...statuses]})` : sql``}
    ${names ? sql`and t.job_name = any(${names})` : sql``}`;
}
