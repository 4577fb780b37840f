import { createHash } from "node:crypto";
import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import { withoutDeadline } from "../deadline.js";
import { MAX_PAGE_BYTES } from "../events/event-log.js";
import type { EventLog, LogPage, Present } from "../events/event-log.js";
import type { LoggedEventType, QueuedJobStatus } from "../queued-job-status.js";
import { isFinished } from "../queued-job-status.js";
import type { Instant, QueuedJob, QueuedJobEvent } from "../queued-job.js";
import { queuedJobJson, recordedOutputs } from "./queued-jobs/statements.js";

/** The log of events in PostgreSQL. Always of the primary: a replica may not have yet what a bell tells of. */
export function createEventLog({ sql }: Database): EventLog {
  let epoch: Promise<string> | null = null;

  /** A restored or failed-over database has another timeline, and so expires cursors, which is the safe side. */
  async function readEpoch(): Promise<string> {
    const [row] = await sql<{ id: string }[]>`
      select h.id::text || '/' || s.system_identifier || '/' || c.timeline_id as id from histories h, pg_control_system() s, pg_control_checkpoint() c`;
    if (!row) throw new Error("The table histories is empty: run npm run migrate");
    return createHash("sha256").update(row.id).digest("hex").slice(0, 16);
  }

  return {
    epoch() {
      epoch ??= withoutDeadline(() => available(readEpoch)).catch((error: unknown) => {
        epoch = null;
        throw error;
      });
      return epoch;
    },

    read: ({ userId, seq, limit, queuedJobId }) =>
      available(async (): Promise<LogPage> => {
        const rows = await sql<{ last: number; floor: number; found: number | null; event: QueuedJobEvent | null }[]>`
          select s.last_seq::float8 as last, s.floor_seq::float8 as floor, e.found, e.event from user_streams s left join lateral (
            select found, jsonb_build_object('seq', seq, 'type', type, 'at', rfc3339(at), 'queuedJob', snapshot) as event from (
              select *, count(*) over ()::int as found, sum(size) over (order by seq rows between unbounded preceding and 1 preceding) as before from (
                select e.*, case when e.bytes > 0 then e.bytes else octet_length(e.snapshot::text) end as size from queued_job_events e
                where e.user_id = s.user_id and e.seq > ${seq} ${queuedJobId === null ? sql`` : sql`and e.queued_job_id = ${queuedJobId}`}
                order by e.seq limit ${limit}) page) bounded
            where coalesce(before, 0) < ${MAX_PAGE_BYTES} order by seq) e on true
          where s.user_id = ${userId}`;
        const events = rows.flatMap((row) => row.event ?? []);
        const found = rows[0]?.found ?? 0;
        return { events, whole: found < limit && found === events.length, last: rows[0]?.last ?? 0, floor: rows[0]?.floor ?? 0 };
      }),

    heads: (userIds) =>
      available(async () => {
        const rows = await sql<{ userId: string; head: number }[]>`select user_id as "userId", last_seq::float8 as head from user_streams where user_id = any(${userIds})`;
        return new Map(rows.map((row) => [row.userId, row.head]));
      }),

    present: (userId, queuedJobId) =>
      available(async (): Promise<Present | null> => {
        const [row] = await sql<{ queuedJob: QueuedJob; head: number; seq: number | null; type: LoggedEventType | null; at: Instant | null }[]>`
          select ${queuedJobJson(sql, recordedOutputs(sql))} as "queuedJob", s.last_seq::float8 as head, e.seq::float8 as seq, e.type, rfc3339(e.at) as at
          from queued_jobs t join user_streams s using (user_id) left join lateral (
            select seq, type, at from queued_job_events where queued_job_id = t.id order by seq desc limit 1) e on true
          where t.id = ${queuedJobId} and t.user_id = ${userId}`;
        if (!row) return null;
        const { queuedJob, head } = row;
        const event = { seq: row.seq ?? head, type: row.type ?? presentType(queuedJob), at: row.at ?? queuedJob.updatedAt, queuedJob };
        return { event, lastSeq: row.seq ?? 0, finished: isFinished(queuedJob.status), head };
      }),
  };
}

const TYPE_OF_STATUS: Record<QueuedJobStatus, LoggedEventType> = { PENDING: "QUEUED", STARTED: "STARTED", SUCCESS: "SUCCEEDED", FAILED: "FAILED", CANCELLED: "CANCELLED" };

/** The event that led to this state, as far as the row tells. */
function presentType({ status, error }: QueuedJob): LoggedEventType {
  return status === "PENDING" && error ? "RETRYING" : TYPE_OF_STATUS[status];
}
