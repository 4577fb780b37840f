import postgres, { type Sql, type TransactionSql } from "postgres";
import type { LoggedEventType, QueuedJobStatus } from "../../../src/domain/queued-job-status.js";

export interface LogRow {
  userId: string;
  seq: number;
  jobId: string;
  type: LoggedEventType;
  version: number;
  status: QueuedJobStatus;
  attempts: number;
  groupId: string | null;
  /** The counts of its group, in the form of `countsText`. */
  counts: string | null;
}

export interface GroupRow {
  id: string;
  isFinished: boolean;
}

/** An event of a photo. */
export interface PhotoEventRow {
  userId: string;
  seq: number;
  jobId: string;
  type: string;
}

export interface JobRow {
  id: string;
  userId: string;
  status: QueuedJobStatus;
  version: number;
  attempts: number;
  groupId: string | null;
  key: string | null;
}

export interface StreamRow {
  userId: string;
  lastSeq: number;
  pending: number;
  storedBytes: number;
  /** Number of unfinished rows. */
  unfinished: number;
  bytes: number;
}

export interface Tables {
  /** Events of QueuedJobs, by user and number. */
  log: LogRow[];
  photoEvents: PhotoEventRow[];
  /** Photos without an event that shows them as they are. */
  unreported: string[];
  jobs: JobRow[];
  groups: GroupRow[];
  streams: StreamRow[];
  /** Storage keys in the rows. */
  files: Set<string>;
}

/** Reads the tables directly, without the service. */
export async function readTables(url: string): Promise<Tables> {
  // It reads all rows.
  const connection = { enable_seqscan: "on" };
  const client = postgres(url, { max: 1, onnotice: () => {}, connection });
  try {
    // One snapshot, because the hostile user's last jobs may still change.
    return await client.begin("isolation level repeatable read", readAll);
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** The columns of a LogRow that show its group. */
export function groupColumns(sql: Sql | TransactionSql) {
  return sql`snapshot->'member'->'group'->>'id' as "groupId", (
    select concat_ws(' ', g->>'total', g->>'pending', g->>'started', g->>'succeeded',
      g->>'failed', g->>'cancelled', (g->>'finishedAt' is not null)::text)
    from (select snapshot->'member'->'group' as g) x where g is not null) as counts`;
}

async function readAll(sql: TransactionSql): Promise<Tables> {
  const log = await sql<LogRow[]>`
    select user_id as "userId", seq::float8 as seq, queued_job_id as "jobId", type,
      (snapshot->>'version')::int as version, snapshot->>'status' as status,
      (snapshot->>'attempts')::int as attempts, ${groupColumns(sql)}
    from queued_job_events where user_id in (select user_id from user_streams)
      order by user_id, seq`;
  const photoEvents = await sql<PhotoEventRow[]>`
    select user_id as "userId", seq::float8 as seq, photo_id as "jobId", type from photo_events
      order by user_id, seq`;
  const unreported = await sql<{ id: string }[]>`
    select p.id from photos p where (select e.snapshot->>'previewKey' from photo_events e
      where e.photo_id = p.id order by e.seq desc limit 1) is distinct from p.preview_key`;
  const jobs = await sql<
    JobRow[]
  >`select id, user_id as "userId", status, version, attempts, group_id as "groupId",
      group_key as key from queued_jobs
    where user_id in (select user_id from user_streams) order by id`;
  const groups = await sql<GroupRow[]>`
    select id, finished_at is not null as "isFinished" from job_groups
    where deleted_at is null and user_id in (select user_id from user_streams)`;
  const streams = await sql<StreamRow[]>`
    select s.user_id as "userId", s.last_seq::float8 as "lastSeq", s.pending,
      s.stored_bytes::float8 as "storedBytes",
      (select count(*)::int from queued_jobs q where q.user_id = s.user_id
      and q.status in ('PENDING', 'STARTED')) as unfinished,
      (select coalesce(sum(byte_size), 0)::float8 from photos p where p.user_id = s.user_id)
      + (select coalesce(sum(o.byte_size), 0)::float8 from queued_job_outputs o join queued_jobs q
      on q.id = o.queued_job_id where q.user_id = s.user_id) as bytes
    from user_streams s`;
  const files = await sql<{ key: string }[]>`
    select storage_key as key from photos union all select preview_key from photos
      where preview_key is not null union all select storage_key from queued_job_outputs
    union all select 'renditions/' || user_id || '/' || id || '/' || unnest(renditions)
      from photos`;
  return {
    log: [...log],
    photoEvents: [...photoEvents],
    unreported: unreported.map(({ id }) => id),
    jobs: [...jobs],
    groups: [...groups],
    streams: [...streams],
    files: new Set(files.map(({ key }) => key)),
  };
}
