import { available, type Database } from "../../db/database.js";

/** What became of the QueuedJobs of one Job that finished within the last hour, or day. */
export interface Outcomes {
  succeeded: number;
  failed: number;
  cancelled: number;
  /** Of the latest attempts that succeeded; null without any. */
  medianSeconds: number | null;
  slowestSeconds: number | null;
}

export interface JobFigures {
  jobName: string;
  pending: number;
  started: number;
  /** Of the one that is due longest. */
  oldestWaitSeconds: number | null;
  hour: Outcomes;
  day: Outcomes;
}

/** The figures are of so many of those that finished last; of more, the rest is left out. */
export const COUNTED_FINISHED = 50_000;
/** Likewise of those that are unfinished. */
const COUNTED_UNFINISHED = 50_000;

/** By Job, for operators. What was deleted meanwhile is not counted. */
export async function readJobFigures({ sql }: Database): Promise<JobFigures[]> {
  const outcomes = (hours: number) => sql`jsonb_build_object(
    'succeeded', count(*) filter (where status = 'SUCCESS'
    and age_hours < ${hours}), 'failed', count(*) filter (where status = 'FAILED'
      and age_hours < ${hours}),
    'cancelled', count(*) filter (where status = 'CANCELLED' and age_hours < ${hours}),
    'medianSeconds', percentile_cont(0.5) within group (order by seconds) filter (where status =
    'SUCCESS' and age_hours < ${hours}),
    'slowestSeconds', max(seconds) filter (where status = 'SUCCESS' and age_hours < ${hours}))`;
  return available(
    () => sql<JobFigures[]>`
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
