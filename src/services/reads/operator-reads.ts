import { available, type Database } from "../../db/database.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type {
  Instant,
  QueuedJob,
  QueuedJobEvent,
  QueuedJobOutput,
} from "../../domain/queued-job.js";
import { isUuid } from "./ids.js";
import { queuedJobJson, recordedOutputs } from "../queued-jobs/statements.js";

/** Outcomes of the QueuedJobs of one Job that finished within the last hour or day. */
export interface Outcomes {
  succeeded: number;
  failed: number;
  cancelled: number;
  /** Duration of the latest attempts that succeeded; null without any. */
  medianSeconds: number | null;
  slowestSeconds: number | null;
}

export interface JobStatistics {
  jobName: string;
  pending: number;
  started: number;
  /** Wait of the QueuedJob that has been due longest. */
  oldestWaitSeconds: number | null;
  hour: Outcomes;
  day: Outcomes;
}

/** Maximum finished QueuedJobs in the statistics: the latest ones. */
export const COUNTED_FINISHED = 50_000;
/** Maximum unfinished QueuedJobs in the statistics. */
const COUNTED_UNFINISHED = 50_000;

/** Reads statistics by Job, for operators. Deleted QueuedJobs are not counted. */
export async function readJobStatistics({ sql }: Database): Promise<JobStatistics[]> {
  const outcomes = (hours: number) => sql`jsonb_build_object(
    'succeeded', count(*) filter (where status = 'SUCCESS'
    and age_hours < ${hours}), 'failed', count(*) filter (where status = 'FAILED'
      and age_hours < ${hours}),
    'cancelled', count(*) filter (where status = 'CANCELLED' and age_hours < ${hours}),
    'medianSeconds', percentile_cont(0.5) within group (order by seconds) filter (where status =
    'SUCCESS' and age_hours < ${hours}),
    'slowestSeconds', max(seconds) filter (where status = 'SUCCESS' and age_hours < ${hours}))`;
  return available(
    () => sql<JobStatistics[]>`
    with finished as (
      select job_name, ${outcomes(1)} as hour, ${outcomes(24)} as day from (
        select job_name, status, extract(epoch
          from now() - finished_at)::float8 / 3600 as age_hours, extract(epoch
            from finished_at - started_at)::float8 as seconds
        from queued_jobs where expires_at is not null order by expires_at desc
          limit ${COUNTED_FINISHED}) last
      group by job_name),
    unfinished as (
      select job_name, count(*) filter (where status = 'PENDING')::int as pending,
        count(*) filter (where status = 'STARTED')::int as started,
        max(extract(epoch from now() - due_at)::float8) filter (where status = 'PENDING'
        and due_at <= now()) as wait
      from (select job_name, status, due_at from queued_jobs where status in ('PENDING', 'STARTED')
        limit ${COUNTED_UNFINISHED}) few
      group by job_name)
    select j.name as "jobName", coalesce(u.pending, 0) as pending, coalesce(u.started,
      0) as started, u.wait as "oldestWaitSeconds",
      coalesce(f.hour, ${NOTHING}::jsonb) as hour, coalesce(f.day, ${NOTHING}::jsonb) as day
    from jobs j left join finished f on f.job_name = j.name left join unfinished u
      on u.job_name = j.name order by j.name`,
  );
}

const NOTHING = JSON.stringify({
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  medianSeconds: null,
  slowestSeconds: null,
} satisfies Outcomes);

// A search by operators among the QueuedJobs of all users. No index serves every filter. A search
// therefore reads a limited number of rows and returns where the next one starts.
interface QueuedJobSearch {
  /** An id or an e-mail address; null for all users. */
  user: string | null;
  status: QueuedJobStatus | null;
  jobName: string | null;
  /** Limits the search to QueuedJobs that were submitted before this one. */
  beforeId: string | null;
  first: number;
}

export interface FoundQueuedJob {
  id: string;
  jobName: string;
  status: QueuedJobStatus;
  userId: string;
  email: string;
  attempts: number;
  errorCode: string | null;
  createdAt: Instant;
  finishedAt: Instant | null;
}

export interface FoundQueuedJobs {
  /** Sorted newest first. */
  rows: FoundQueuedJob[];
  /** The `beforeId` of the next search; null at the end. */
  nextBeforeId: string | null;
}

/** Maximum rows that one search reads. */
const LOOKED_AT = 20_000;
/** Maximum users with the same e-mail address, which several issuers may report. */
const NAMESAKES = 20;

export async function searchQueuedJobs(
  { sql }: Database,
  search: QueuedJobSearch,
): Promise<FoundQueuedJobs> {
  const { user, status, jobName, beforeId, first } = search;
  const userIds = user === null ? null : await findUserIds({ sql } as Database, user);
  if (userIds?.length === 0) return { rows: [], nextBeforeId: null };
  const range = sql`where true ${userIds ? sql`and user_id = any(${userIds})` : sql``}
    ${beforeId === null ? sql`` : sql`and id < ${beforeId}`} order by id desc`;
  return available(async () => {
    const rows = await sql<FoundQueuedJob[]>`
      select t.id, t.job_name as "jobName", t.status, t.user_id as "userId", u.email, t.attempts,
        t.error_code as "errorCode", rfc3339(t.created_at) as "createdAt",
        rfc3339(t.finished_at) as "finishedAt"
      from (select id, job_name, status, user_id, attempts, error_code, created_at, finished_at
        from queued_jobs ${range} limit ${LOOKED_AT}) t join users u on u.id = t.user_id
      where true ${status === null ? sql`` : sql`and t.status = ${status}`}
        ${jobName === null ? sql`` : sql`and t.job_name = ${jobName}`}
      order by t.id desc limit ${first + 1}`;
    if (rows.length > first)
      return { rows: rows.slice(0, first), nextBeforeId: rows[first - 1]?.id ?? null };
    const [last] = await sql<
      { id: string }[]
    >`select id from queued_jobs ${range} offset ${LOOKED_AT - 1} limit 1`;
    return { rows: [...rows], nextBeforeId: last?.id ?? null };
  });
}

async function findUserIds({ sql }: Database, user: string): Promise<string[]> {
  if (isUuid(user)) return [user];
  const rows = await available(
    () =>
      sql<
        { id: string }[]
      >`select id from users where lower(email) = lower(${user}) limit ${NAMESAKES}`,
  );
  return rows.map(({ id }) => id);
}

/** All details of one QueuedJob, for operators. */
export interface QueuedJobDetails {
  /** Null when it was deleted; then its last event remains. */
  row: (QueuedJob & InnerFields) | null;
  /** Sorted oldest first; bounded in number. */
  events: QueuedJobEvent[];
  photos: {
    id: string;
    filename: string;
    mimeType: string;
    width: number;
    height: number;
    byteSize: number;
  }[];
  outputs: QueuedJobOutput[];
}

/** Fields that its owner cannot see. */
interface InnerFields {
  email: string;
  run: number;
  failures: number;
  stalls: number;
  /** The worker of the latest attempt. */
  worker: string | null;
  leaseUntil: Instant | null;
  dueAt: Instant;
  /** The id of the request that submitted it. */
  requestId: string;
}

const EVENTS = 1000;

/** Returns null when neither a row nor an event exists. */
export function readQueuedJobDetails(
  { sql }: Database,
  id: string,
): Promise<QueuedJobDetails | null> {
  return available(async () => {
    const [rows, events, photos] = await Promise.all([
      sql<{ queuedJob: QueuedJob & InnerFields; outputs: QueuedJobOutput[] }[]>`
        select ${recordedOutputs(sql)} as outputs, ${queuedJobJson(sql, sql`null::jsonb`)} ||
          jsonb_build_object('email', u.email, 'run', t.run, 'failures', t.failures, 'stalls',
          t.stalls, 'worker', t.worker,
          'leaseUntil', rfc3339(t.lease_until), 'dueAt', rfc3339(t.due_at), 'requestId',
          t.request_id) as "queuedJob"
        from queued_jobs t join users u on u.id = t.user_id where t.id = ${id}`,
      sql<
        QueuedJobEvent[]
      >`select seq::float8 as seq, type, rfc3339(at) as at, snapshot as "queuedJob"
        from queued_job_events where queued_job_id = ${id} order by seq limit ${EVENTS}`,
      sql<QueuedJobDetails["photos"]>`
        select p.id, p.filename, p.mime_type as "mimeType", p.width, p.height,
          p.byte_size::float8 as "byteSize" from queued_job_photos l join photos p
          on p.id = l.photo_id where l.queued_job_id = ${id} order by l.position`,
    ]);
    if (rows.length === 0 && events.length === 0) return null;
    return {
      row: rows[0]?.queuedJob ?? null,
      outputs: rows[0]?.outputs ?? [],
      events: [...events],
      photos: [...photos],
    };
  });
}
