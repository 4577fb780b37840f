// The shared parts of the service's statements. A step is one statement. It updates the row under a
// guard (compare and set), then the owner's counter, and then inserts the event. Lock order
// everywhere: QueuedJobs, groups, counters, photos.
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
  /** Work on other rows that must follow; absent for rows without a group. */
  effects?: StepEffects | null;
}

/** A row that needs a hint. */
export type Hinted = Pick<Step, "run" | "requestId" | "traceparent" | "pending"> & {
  queuedJob: Pick<QueuedJob, "id" | "userId" | "jobName" | "priority" | "runAt"> & {
    /** Present if the QueuedJob has a group. */
    member?: object;
  };
};

export interface StepEffects {
  /** Successors that became due. */
  due: Hinted[];
  /** Groups with rows that are going to be cancelled. */
  cancelling: string[];
}

/**
 * The `due_at` of a row that waits for predecessors. It is finite, because a difference with
 * infinity fails before PostgreSQL 17.
 */
export const NEVER_DUE = "9999-01-01T00:00:00Z";

/** Builds the JSON of type QueuedJob from the row `t`. `outputs` is an expression of type jsonb. */
export function queuedJobJson(sql: Sql, outputs: Fragment): Fragment {
  return sql`(jsonb_build_object(
    'parameters', t.parameters, 'result', t.result, ${jsonParts(sql, outputs, sql`t.version`)})
    || ${memberFields(sql)})`;
}

/** Builds all fields except those that may be large. */
function jsonParts(
  sql: Sql,
  outputs: Fragment,
  version: Fragment,
  expiresAt = sql`rfc3339(t.expires_at)`,
): Fragment {
  return sql`
    'id', t.id, 'userId', t.user_id, 'jobName', t.job_name, 'status', t.status,
    'photoCount', t.photo_count, 'priority', t.priority, 'runAt', rfc3339(t.run_at),
    'progress', t.progress, 'progressMessage', t.progress_message, 'attempts', t.attempts,
    'outputs', ${outputs},
    'error', case when t.error_code is not null
    then jsonb_build_object('code', t.error_code, 'message', t.error_message) end,
    'version', ${version}, 'createdAt', rfc3339(t.created_at), 'updatedAt', rfc3339(t.updated_at),
    'startedAt', rfc3339(t.started_at), 'finishedAt', rfc3339(t.finished_at),
    'expiresAt', ${expiresAt}, 'reusedFrom', t.reused_from`;
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
 * Adds to the rows of `t` their snapshots and the lengths that count as recorded bytes. Of the row
 * itself it keeps what a statement needs afterwards, and the columns `more`. `offset 0` keeps
 * PostgreSQL from computing an expression more than once. The limit is a literal, because a
 * parameter would cost more in every step.
 */
export function withSnapshots(
  sql: Sql,
  outputs: Fragment,
  {
    version = sql`t.version`,
    from = sql`t`,
    more = sql``,
    member,
  }: { version?: Fragment; from?: Fragment; more?: Fragment; member?: Fragment | undefined } = {},
): Fragment {
  const omitted = sql`case when b.parameter_bytes <= 8192 and b.result_bytes <= 8192
      then '{}'::text[]
    when b.result_bytes <= 8192 then '{parameters}'
    when b.parameter_bytes <= 8192 then '{result}' else '{parameters,result}' end`;
  const large = sql`
    'parameters', case when b.parameter_bytes <= 8192 then t.parameters end,
    'result', case when b.result_bytes <= 8192 then t.result end`;
  // A member expires with its group.
  const expiresAt = member && sql`coalesce(rfc3339(t.expires_at), m.member->'group'->>'expiresAt')`;
  const parts = jsonParts(sql, outputs, version, expiresAt);
  const snapshot = member
    ? sql`jsonb_build_object(${large}, ${parts}, 'member', m.member) - (${omitted}
        || case when m.member is null then '{member}'::text[] else '{}' end)`
    : sql`jsonb_build_object(${large}, ${parts}) - ${omitted}`;
  return sql`
    select t.id, t.user_id, t.group_id, t.run, t.failures, t.stalls, t.request_id, t.parameters,
      t.photo_count ${more}, b.* ${member ? sql`, m.member` : sql``},
      x.snapshot, octet_length(x.snapshot::text) as event_bytes
    from ${from}
    cross join lateral (
      select octet_length(t.parameters::text) as parameter_bytes,
        coalesce(octet_length(t.result::text), 0) as result_bytes offset 0) b
    ${member ? sql`cross join lateral (select ${member} as member offset 0) m` : sql``}
    cross join lateral (select ${snapshot} as snapshot offset 0) x`;
}

/**
 * Builds the fields of the row `t` that depend on its group: `member`, which a QueuedJob without a
 * group lacks, and `expiresAt`.
 */
function memberFields(sql: Sql): Fragment {
  const member = liveMember(sql);
  return sql`case when t.group_id is null then '{}' else coalesce(
    (select jsonb_build_object('member', m.member, 'expiresAt', m.member->'group'->'expiresAt')
      from (select ${member} as member) m where m.member is not null), '{}') end`;
}

/** Expressions for the counts of a group. */
export type GroupCounts = Record<
  "pending" | "started" | "succeeded" | "failed" | "cancelled",
  Fragment
>;

/** The counts of the row `g`. */
export function groupCounts(sql: Sql): GroupCounts {
  return {
    pending: sql`g.pending`,
    started: sql`g.started`,
    succeeded: sql`g.succeeded`,
    failed: sql`g.failed`,
    cancelled: sql`g.cancelled`,
  };
}

/** Builds JSON of type GroupMember from the row `t` and its group `g`. */
export function memberJson(sql: Sql, { group = groupJson(sql) } = {}): Fragment {
  return sql`jsonb_build_object('key', t.group_key, 'waitingFor', t.waiting_for,
    'takesPhotos', t.takes_photos, 'group', ${group})`;
}

/**
 * Builds JSON of type JobGroup from the row `g`. `counts` replaces those of the row. `showsEnd` is
 * false if the group had not finished at that time.
 */
export function groupJson(
  sql: Sql,
  {
    counts = groupCounts(sql),
    showsEnd,
    progress,
  }: { counts?: GroupCounts; showsEnd?: Fragment | undefined; progress?: Fragment } = {},
): Fragment {
  const { pending, started, succeeded, failed, cancelled } = counts;
  const end = (time: Fragment) => (showsEnd ? sql`case when ${showsEnd} then ${time} end` : time);
  return sql`jsonb_build_object('id', g.id, 'userId', g.user_id, 'name', g.name, 'total', g.total,
    'pending', ${pending}, 'started', ${started}, 'succeeded', ${succeeded}, 'failed', ${failed},
    'cancelled', ${cancelled}, 'createdAt', rfc3339(g.created_at),
    'finishedAt', ${end(sql`rfc3339(g.finished_at)`)},
    'expiresAt', ${end(sql`rfc3339(g.expires_at)`)}
    ${progress ? sql`, 'progress', ${progress}` : sql``})`;
}

/** Like `groupJson`, for a group as it is now. */
export function liveGroupJson(sql: Sql): Fragment {
  return sql`${groupJson(sql)} || '{"live": true}'`;
}

/** Reads the place of the row `t` in its group; null without a group, or while it is deleted. */
function liveMember(sql: Sql): Fragment {
  return sql`(select ${memberJson(sql, { group: liveGroupJson(sql) })} from job_groups g
    where g.user_id = t.user_id and g.id = t.group_id and g.deleted_at is null)`;
}

/**
 * Computes the maximum bytes that a submission needs until it starts: its parameters in the row and
 * in an event. `parameters` is an expression of type jsonb.
 */
export function bytesNeeded(sql: Sql, parameters: Fragment): Fragment {
  return sql`(2 * octet_length(${parameters}::text) + 1000)`;
}

/**
 * The columns of `set` that change when a row finishes; it is kept for `ttlSeconds`. A row of a
 * group is kept as long as the group.
 */
export function finish(sql: Sql, ttlSeconds: number): Fragment {
  return sql`, lease_until = null, progress_message = null,
    finished_at = now(),
    expires_at = case when group_id is null then now() + ${ttlSeconds} * interval '1 second' end`;
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
