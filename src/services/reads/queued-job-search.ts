// What operators look for among everybody's QueuedJobs. No index serves every filter, so a search
// looks at so many rows at a time, and says where to go on.
import { available, type Database } from "../../db/database.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type { Instant } from "../../domain/queued-job.js";
import { isUuid } from "./ids.js";

export interface QueuedJobSearch {
  /** An id, or an e-mail address; null: everybody. */
  user: string | null;
  status: QueuedJobStatus | null;
  jobName: string | null;
  /** Only those that were submitted before this one. */
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
  /** Newest first. */
  rows: FoundQueuedJob[];
  /** `beforeId` of what follows; null at the end. */
  nextBeforeId: string | null;
}

/** Rows that one search looks at. */
const LOOKED_AT = 20_000;
/** People who share an e-mail address, as several issuers may tell it. */
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
