import { createHash } from "node:crypto";
import type { Fragment } from "postgres";
import { available, type Database } from "../../db/database.js";
import { withoutDeadline } from "../../runtime/deadline.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import {
  MAX_PAGE_BYTES,
  type EventLog,
  type Heads,
  type LogPage,
  type Present,
} from "../../events/event-log.js";
import {
  isFinished,
  type LoggedEventType,
  type QueuedJobStatus,
} from "../../domain/queued-job-status.js";
import type { PhotoEvent } from "../../domain/photo-event.js";
import type { Instant, QueuedJob, QueuedJobEvent } from "../../domain/queued-job.js";
import { queuedJobJson, recordedOutputs } from "../queued-jobs/statements.js";

/**
 * The event log in PostgreSQL. It always reads from the primary: a replica may lack the event of a
 * notification.
 */
export function createEventLog(database: Database): EventLog {
  let epoch: string | null = null;
  let reading: Promise<string> | null = null;

  async function heads(userIds: string[]): Promise<Heads> {
    const result = await available(() => readHeads(database, userIds));
    epoch = result.epoch;
    return result;
  }

  function readEpoch(): Promise<string> {
    reading ??= withoutDeadline(() => heads([]))
      .then((result) => result.epoch)
      .finally(() => {
        reading = null;
      });
    return reading;
  }

  return {
    epoch: async () => epoch ?? readEpoch(),
    read: ({ queuedJobId, groupId = null, ...query }) =>
      available(() => {
        const { sql } = database;
        const ofOne = queuedJobId === null ? sql`` : sql`and e.queued_job_id = ${queuedJobId}`;
        const where = groupId === null ? ofOne : sql`${ofOne} and e.group_id = ${groupId}`;
        const log = { table: sql`queued_job_events`, of: sql`'queuedJob'`, where };
        return readPage<QueuedJobEvent>(database, query, log);
      }),
    readPhotos: (query) =>
      available(() => {
        const { sql } = database;
        const log = { table: sql`photo_events`, of: sql`'photo'`, where: sql`` };
        return readPage<PhotoEvent>(database, query, log);
      }),
    heads,
    present: (userId, queuedJobId) => available(() => readPresent(database, userId, queuedJobId)),
    presentOfGroup: (userId, groupId) =>
      available(() => readPresentOfGroup(database, userId, groupId)),
  };
}

/**
 * Computes the epoch: a restored database has another id, and a failover starts another timeline.
 * Beware: the control file shows the new timeline only after the next checkpoint; the WAL shows it
 * at once.
 */
async function readHeads({ sql }: Database, userIds: string[]): Promise<Heads> {
  const rows = await sql<{ history: string | null; userId: string | null; head: number }[]>`
    select h.id::text || '/' || s.system_identifier || '/' || case when not pg_is_in_recovery()
        then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as history,
      null::uuid as "userId", null::float8 as head
    from histories h, pg_control_system() s
    union all select null, user_id, last_seq from user_streams where user_id = any(${userIds})`;
  const heads = new Map<string, number>();
  let history: string | null | undefined;
  for (const row of rows) {
    if (row.userId === null) history = row.history;
    else heads.set(row.userId, row.head);
  }
  if (history === undefined) throw new Error("The table histories is empty: run npm run migrate");
  if (history === null) {
    throw new ServiceUnavailableError("The database is a standby; try again in a moment.");
  }
  return { epoch: createHash("sha256").update(history).digest("hex").slice(0, 16), heads };
}

/**
 * The events of one of the two tables after a position, with the counters of the user. The limit is
 * part of the text: of an unknown one PostgreSQL expects so much that it plans each read again,
 * which takes half of its time with 20,000,000 events in 12 partitions.
 */
async function readPage<E extends { seq: number }>(
  { sql, foreignRows }: Database,
  { userId, seq, limit }: Parameters<EventLog["readPhotos"]>[0],
  { table, of, where }: { table: Fragment; of: Fragment; where: Fragment },
): Promise<LogPage<E>> {
  const rows = await sql<
    {
      userId: string;
      last: number | null;
      floor: number | null;
      found: number | null;
      event: E | null;
    }[]
  >`
    select coalesce(e.user_id, q.user_id) as "userId", s.last_seq::float8 as last,
      s.floor_seq::float8 as floor, e.found, e.event
    from (values (${userId}::uuid)) as q (user_id) left join user_streams s using (user_id)
      left join lateral (
      select user_id, found, jsonb_build_object('seq', seq, 'type', type, 'at', rfc3339(at),
        ${of}, snapshot) as event from (
        select *, count(*) over ()::int as found, sum(size) over (order by seq rows between
          unbounded preceding and 1 preceding) as before from (
          select e.*, case when e.bytes > 0 then e.bytes else octet_length(e.snapshot::text)
            end as size from ${table} e
          where e.user_id = s.user_id and e.seq > ${seq} ${where}
          order by e.seq limit ${sql.unsafe(String(limit))}) page) bounded
      where coalesce(before, 0) < ${MAX_PAGE_BYTES} order by seq) e on true`;
  // This statement returns at least one row; otherwise the rows belong to another statement.
  if (rows.length === 0 || rows.some((row) => row.userId !== userId)) throw foreignRows(rows);
  const events = rows.flatMap((row) => row.event ?? []);
  const matches = rows[0]?.found ?? 0;
  return {
    events,
    whole: matches < limit && matches === events.length,
    last: rows[0]?.last ?? 0,
    floor: rows[0]?.floor ?? 0,
  };
}

async function readPresent(
  { sql }: Database,
  userId: string,
  queuedJobId: string,
): Promise<Present | null> {
  const [row] = await sql<
    {
      queuedJob: QueuedJob;
      head: number;
      seq: number | null;
      type: LoggedEventType | null;
      at: Instant | null;
    }[]
  >`
    select ${queuedJobJson(sql, recordedOutputs(sql))} as "queuedJob",
      s.last_seq::float8 as head, e.seq::float8 as seq, e.type, rfc3339(e.at) as at
    from queued_jobs t join user_streams s using (user_id) left join lateral (
      select seq, type, at from queued_job_events where queued_job_id = t.id order by seq desc
        limit 1) e on true
    where t.id = ${queuedJobId} and t.user_id = ${userId}`;
  if (!row) return null;
  const { queuedJob, head } = row;
  const event = {
    seq: row.seq ?? head,
    type: row.type ?? presentType(queuedJob),
    at: row.at ?? queuedJob.updatedAt,
    queuedJob,
  };
  return { event, lastSeq: row.seq ?? 0, finished: isFinished(queuedJob.status), head };
}

async function readPresentOfGroup(
  database: Database,
  userId: string,
  groupId: string,
): Promise<Present | null> {
  const [row] = await database.sql<
    {
      finished: boolean;
      head: number;
      event: QueuedJobEvent | null;
      changedLast: string | null;
    }[]
  >`
    select g.finished_at is not null as finished, s.last_seq::float8 as head, e.event,
      case when e.event is null then (select id from queued_jobs where group_id = g.id
        order by updated_at desc limit 1) end as "changedLast"
    from job_groups g join user_streams s using (user_id) left join lateral (
      select jsonb_build_object('seq', seq, 'type', type, 'at', rfc3339(at), 'queuedJob', snapshot)
        as event
      from queued_job_events where group_id = g.id order by seq desc limit 1) e on true
    where g.id = ${groupId} and g.user_id = ${userId} and g.deleted_at is null`;
  if (!row) return null;
  const { event, head, finished, changedLast } = row;
  if (event) return { event, lastSeq: event.seq, finished, head };
  const present = changedLast === null ? null : await readPresent(database, userId, changedLast);
  return present && { ...present, finished };
}

const TYPE_OF_STATUS: Record<QueuedJobStatus, LoggedEventType> = {
  PENDING: "QUEUED",
  STARTED: "STARTED",
  SUCCESS: "SUCCEEDED",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
};

/** The event that led to this state, as far as the row shows it. */
function presentType({ status, error }: QueuedJob): LoggedEventType {
  return status === "PENDING" && error ? "RETRYING" : TYPE_OF_STATUS[status];
}
