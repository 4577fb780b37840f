import { available, type Database } from "../../db/database.js";
import type { Instant, QueuedJob, QueuedJobEvent, StoredOutput } from "../../domain/queued-job.js";
import { queuedJobJson } from "../queued-jobs/statements.js";

/** Outcomes of the QueuedJobs of one Job that finished within the last hour or day. */
export interface Outcomes {
  succeeded: number;
  failed: number;
  cancelled: number;
  /** Duration of the latest attempts that succeeded; null without any. */
  medianSeconds: number | null;
  p95Seconds: number | null;
  /** Wait before the latest attempts that succeeded. */
  p95WaitSeconds: number | null;
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
    'p95Seconds', percentile_cont(0.95) within group (order by seconds) filter (where status =
    'SUCCESS' and age_hours < ${hours}),
    'p95WaitSeconds', percentile_cont(0.95) within group (order by wait) filter (where status =
    'SUCCESS' and age_hours < ${hours}))`;
  return available(
    () => sql<JobStatistics[]>`
    with finished as (
      select job_name, ${outcomes(1)} as hour, ${outcomes(24)} as day from (
        select job_name, status, extract(epoch
          from now() - finished_at)::float8 / 3600 as age_hours, extract(epoch
            from finished_at - started_at)::float8 as seconds,
          greatest(0, extract(epoch from started_at - due_at))::float8 as wait
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
  p95Seconds: null,
  p95WaitSeconds: null,
} satisfies Outcomes);

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
    storageKey: string;
  }[];
  outputs: StoredOutput[];
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
    const [rows, events, photos, outputs] = await Promise.all([
      sql<{ queuedJob: QueuedJob & InnerFields }[]>`
        select ${queuedJobJson(sql, sql`null::jsonb`)} ||
          jsonb_build_object('email', u.email, 'run', t.run, 'failures', t.failures, 'stalls',
          t.stalls, 'worker', t.worker,
          'leaseUntil', case when t.status = 'STARTED' then rfc3339(coalesce((
            select l.valid_until from worker_leases l
            where l.worker = t.worker and t.id = any(l.queued_job_ids)), t.lease_until)) end,
          'dueAt', rfc3339(t.due_at), 'requestId',
          t.request_id) as "queuedJob"
        from queued_jobs t join users u on u.id = t.user_id where t.id = ${id}`,
      sql<
        QueuedJobEvent[]
      >`select seq::float8 as seq, type, rfc3339(at) as at, snapshot as "queuedJob"
        from queued_job_events where queued_job_id = ${id} order by seq limit ${EVENTS}`,
      sql<QueuedJobDetails["photos"]>`
        select p.id, p.filename, p.mime_type as "mimeType", p.width, p.height,
          p.byte_size::float8 as "byteSize", p.storage_key as "storageKey"
        from queued_job_photos l join photos p
          on p.id = l.photo_id where l.queued_job_id = ${id} order by l.position`,
      sql<StoredOutput[]>`
        select name, mime_type as "mimeType", byte_size::float8 as "byteSize", width, height,
          storage_key as "storageKey"
        from queued_job_outputs where queued_job_id = ${id} order by position`,
    ]);
    if (rows.length === 0 && events.length === 0) return null;
    return {
      row: rows[0]?.queuedJob ?? null,
      outputs: [...outputs],
      events: [...events],
      photos: [...photos],
    };
  });
}
