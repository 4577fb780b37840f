// The search of operators among the QueuedJobs of all users. No index serves every condition. So a
// statement looks at a limited number of rows in the order of their ids, and returns where the next
// one starts. Ids are UUIDv7, so a range of time is a range of ids.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type { Instant } from "../../domain/queued-job.js";
import { FIRST_ID, isUuid } from "./ids.js";

/** Conditions that all must hold; null matches all. Times are in milliseconds since 1970. */
export interface JobFilter {
  /** Selects this QueuedJob only. */
  id: string | null;
  userIds: string[] | null;
  status: QueuedJobStatus | null;
  jobName: string | null;
  errorCode: string | null;
  worker: string | null;
  /** Id of the request that submitted it. */
  requestId: string | null;
  photoId: string | null;
  /** Submitted at this time or later. */
  fromMs: number | null;
  /** Submitted before this time. */
  toMs: number | null;
}

/** A filter that matches all. */
export const ANY_JOB: JobFilter = {
  id: null,
  userIds: null,
  status: null,
  jobName: null,
  errorCode: null,
  worker: null,
  requestId: null,
  photoId: null,
  fromMs: null,
  toMs: null,
};

/** Maximum users with the same e-mail address, which several issuers may report. */
const NAMESAKES = 20;

/** Returns the ids of the users that a text names: an id, or an e-mail address in any case. */
export async function findUserIds({ sql }: Pick<Database, "sql">, user: string): Promise<string[]> {
  if (isUuid(user)) return [user.toLowerCase()];
  const rows = await available(
    () =>
      sql<
        { id: string }[]
      >`select id from users where lower(email) = lower(${user}) limit ${NAMESAKES}`,
  );
  return rows.map(({ id }) => id);
}

/** The lowest UUIDv7 of this millisecond. */
export function lowestIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0").slice(-12);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Maximum rows at which one statement looks. */
export const LOOKED_AT = 20_000;

/** Part of the ids: after `after`, up to and including `upTo`, and before `before`. */
export interface IdRange {
  after?: string | null;
  upTo?: string | null;
  before?: string | null;
}

interface LookOptions {
  columns: Fragment;
  range: IdRange;
  newestFirst: boolean;
  /** True if only FAILED and CANCELLED rows are wanted. */
  unsuccessful: boolean;
}

/**
 * Selects `columns` of the first rows in a range that an index finds. The conditions of
 * `restOf` still have to be checked.
 */
export function lookAt(
  sql: Sql,
  filter: JobFilter,
  { columns, range, newestFirst, unsuccessful }: LookOptions,
): Fragment {
  const order = newestFirst ? sql`desc` : sql``;
  const limits = rangeOf(sql, filter, range);
  const { photoId, userIds } = filter;
  if (photoId !== null)
    return sql`
      select ${columns} from (
        select distinct queued_job_id as photo_job_id from queued_job_photos
        where photo_id = ${photoId}) l
      join queued_jobs on id = photo_job_id ${limits}
      order by id ${order} limit ${LOOKED_AT}`;
  // The literal condition lets a prepared statement use the partial index. A user's rows have
  // another index.
  const failed =
    unsuccessful && userIds === null ? sql`and status in ('FAILED', 'CANCELLED')` : sql``;
  return sql`
    select ${columns} from queued_jobs ${limits} ${failed} order by id ${order} limit ${LOOKED_AT}`;
}

/** The condition on id and owner. */
function rangeOf(sql: Sql, filter: JobFilter, { after, upTo, before }: IdRange): Fragment {
  const { id, userIds, fromMs, toMs } = filter;
  const [userId, ...others] = userIds ?? [];
  // One owner is compared without an array, so that the index also gives the order.
  const ofUsers =
    others.length > 0 ? sql`and user_id = any(${userIds})` : sql`and user_id = ${userId ?? null}`;
  return sql`where id >= ${fromMs === null ? FIRST_ID : lowestIdAt(fromMs)}
    ${toMs === null ? sql`` : sql`and id < ${lowestIdAt(toMs)}`}
    ${id === null ? sql`` : sql`and id = ${id}`}
    ${userIds === null ? sql`` : ofUsers}
    ${after ? sql`and id > ${after}` : sql``} ${upTo ? sql`and id <= ${upTo}` : sql``}
    ${before ? sql`and id < ${before}` : sql``}`;
}

/** The conditions that no index serves; the text begins with `and`, or is empty. */
export function restOf(sql: Sql, filter: JobFilter): Fragment {
  const { status, jobName, errorCode, worker, requestId } = filter;
  return sql`${status === null ? sql`` : sql`and t.status = ${status}`}
    ${jobName === null ? sql`` : sql`and t.job_name = ${jobName}`}
    ${errorCode === null ? sql`` : sql`and t.error_code = ${errorCode}`}
    ${worker === null ? sql`` : sql`and t.worker = ${worker}`}
    ${requestId === null ? sql`` : sql`and t.request_id = ${requestId}`}`;
}

/** The columns that `restOf` needs. */
export function restColumns(sql: Sql): Fragment {
  return sql`status, job_name, error_code, worker, request_id`;
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
  /** Time between being due and the start or the end; negative if it is due later. */
  waitedSeconds: number;
  /** Time since the start of the latest attempt, up to its end; null before it starts. */
  ranSeconds: number | null;
}

export interface FoundQueuedJobs {
  /** Sorted newest first. */
  rows: FoundQueuedJob[];
  /** The `beforeId` of the next search; null at the end. */
  nextBeforeId: string | null;
}

/** Returns a page of matches, newest first. */
export async function searchQueuedJobs(
  { sql }: Database,
  { filter, beforeId, first }: { filter: JobFilter; beforeId: string | null; first: number },
): Promise<FoundQueuedJobs> {
  const { status } = filter;
  const looked = (columns: Fragment) =>
    lookAt(sql, filter, {
      columns,
      range: { before: beforeId },
      newestFirst: true,
      unsuccessful: status === "FAILED" || status === "CANCELLED",
    });
  const columns = sql`id, user_id, attempts, created_at, started_at, finished_at, due_at,
    ${restColumns(sql)}`;
  return available(async () => {
    const rows = await sql<FoundQueuedJob[]>`
      select t.id, t.job_name as "jobName", t.status, t.user_id as "userId", u.email, t.attempts,
        t.error_code as "errorCode", rfc3339(t.created_at) as "createdAt", ${timesOf(sql)}
      from (${looked(columns)}) t join users u on u.id = t.user_id
      where true ${restOf(sql, filter)}
      order by t.id desc limit ${first + 1}`;
    if (rows.length > first)
      return { rows: rows.slice(0, first), nextBeforeId: rows[first - 1]?.id ?? null };
    const [last] = await sql<
      { id: string }[]
    >`select id from (${looked(sql`id`)}) t order by id desc offset ${LOOKED_AT - 1} limit 1`;
    return { rows: [...rows], nextBeforeId: last?.id ?? null };
  });
}

/**
 * An attempt that ended in a back-off started before the row became due again. The start has
 * milliseconds only, hence the tolerance.
 */
function timesOf(sql: Sql): Fragment {
  const isStarted = sql`t.started_at >= t.due_at - interval '100 milliseconds'`;
  const end = sql`coalesce(t.finished_at, now())`;
  return sql`
    case when ${isStarted} then greatest(0, extract(epoch from t.started_at - t.due_at))
      else extract(epoch from ${end} - t.due_at) end::float8 as "waitedSeconds",
    case when ${isStarted} then extract(epoch from ${end} - t.started_at) end::float8
      as "ranSeconds"`;
}
