import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import type { QueuedJob, QueuedJobEvent, QueuedJobOutput } from "../queued-job.js";
import { briefColumns, createOwnPages, toPage } from "./own-pages.js";
import type { QueuedJobPage } from "./own-pages.js";
import { filterCondition } from "./queued-jobs/filter.js";
import type { QueuedJobFilter } from "./queued-jobs/filter.js";
import { queuedJobJson, recordedOutputs } from "./queued-jobs/statements.js";

/** Whose QueuedJobs a list is of; null: everybody's. */
export interface ListScope {
  userId: string | null;
  /** Only those on this photo. */
  photoId: string | null;
  filter: QueuedJobFilter;
}

interface PageRow {
  lastSeq: number;
  id: string | null;
  /** Unless the page is a brief one: then its columns stand beside. */
  queuedJob?: QueuedJob;
}

export interface PageQuery {
  readerId: string;
  first: number;
  beforeId: string | null;
  brief?: boolean;
}

/** What snapshots leave out, and whose it is. */
export interface LargeValues extends Pick<QueuedJob, "userId" | "parameters" | "result"> {
  id: string;
}

export type QueuedJobReads = ReturnType<typeof createQueuedJobReads>;

export function createQueuedJobReads({ sql }: Database) {
  const ownPage = createOwnPages({ sql });

  function inScope({ userId, photoId, filter }: ListScope) {
    return sql`true ${userId === null ? sql`` : sql`and t.user_id = ${userId}`}
      ${photoId === null ? sql`` : sql`and t.id in (select p.queued_job_id from queued_job_photos p where p.photo_id = ${photoId})`} ${filterCondition(sql, filter)}`;
  }

  const readPage = (scope: ListScope, query: PageQuery): Promise<QueuedJobPage> =>
    available(async () => {
      const columns = query.brief ? sql`t.id, ${briefColumns(sql)}` : sql`t.id, ${queuedJobJson(sql, sql`null::jsonb`)} as "queuedJob"`;
      const rows = await sql<PageRow[]>`
        select s.last_seq::float8 as "lastSeq", j.* from user_streams s left join lateral (
          select ${columns} from queued_jobs t
          where ${inScope(scope)} ${query.beforeId === null ? sql`` : sql`and t.id < ${query.beforeId}`}
          order by t.id desc limit ${query.first + 1}) j on true
        where s.user_id = ${query.readerId} order by j.id desc`;
      return toPage(rows, query.first);
    });

  return {
    /**
     * One statement, so that the page and the position are of one moment. `brief`: of a row only what is told in lists; the
     * rest, of which a result alone may have 256 kB, is not even read.
     */
    page: (scope: ListScope, query: PageQuery): Promise<QueuedJobPage> => (query.brief && isAllOf(query.readerId, scope) ? ownPage({ userId: query.readerId, ...query }) : readPage(scope, query)),

    /** Exact up to `most`, and no more than that. */
    count: (scope: ListScope, most: number): Promise<number> =>
      available(async () => {
        const [row] = await sql<{ n: number }[]>`select count(*)::int as n from (select 1 from queued_jobs t where ${inScope(scope)} limit ${most}) few`;
        return row?.n ?? 0;
      }),

    /** The logged events of each, oldest first. */
    histories: (queuedJobIds: readonly string[]): Promise<QueuedJobEvent[][]> =>
      available(async () => {
        const rows = await sql<{ id: string; events: QueuedJobEvent[] }[]>`
          select queued_job_id as id, jsonb_agg(jsonb_build_object('seq', seq, 'type', type, 'at', rfc3339(at), 'queuedJob', snapshot) order by seq) as events
          from queued_job_events where queued_job_id = any(${[...queuedJobIds]}) group by 1`;
        const byId = new Map(rows.map((row) => [row.id, row.events]));
        return queuedJobIds.map((id) => byId.get(id) ?? []);
      }),

    /** In the order of the ids; null where there is no row any more. */
    largeValues: (queuedJobIds: readonly string[]): Promise<(LargeValues | null)[]> =>
      available(async () => {
        const rows = await sql<LargeValues[]>`
          select id, user_id as "userId", parameters, result from queued_jobs
          where id = any(${[...queuedJobIds]})`;
        const byId = new Map(rows.map((row) => [row.id, row]));
        return queuedJobIds.map((id) => byId.get(id) ?? null);
      }),

    /** In the order of the ids. */
    outputs: (queuedJobIds: readonly string[]): Promise<QueuedJobOutput[][]> =>
      available(async () => {
        const rows = await sql<{ id: string; outputs: QueuedJobOutput[] }[]>`
          select t.id, ${recordedOutputs(sql)} as outputs from unnest(${[...queuedJobIds]}::uuid[]) as t(id)`;
        const byId = new Map(rows.map((row) => [row.id, row.outputs]));
        return queuedJobIds.map((id) => byId.get(id) ?? []);
      }),

    /** Null when there is no such output, or no more. */
    outputFile: (queuedJobId: string, name: string): Promise<{ storageKey: string; mimeType: string; filename: string } | null> =>
      available(async () => {
        const [row] = await sql<{ storageKey: string; mimeType: string; filename: string }[]>`
          select storage_key as "storageKey", mime_type as "mimeType", name as filename from queued_job_outputs where queued_job_id = ${queuedJobId} and name = ${name}`;
        return row ?? null;
      }),

    /** The photos of each that are still there, in the order in which they were submitted. */
    photoIds: (queuedJobIds: readonly string[]): Promise<string[][]> =>
      available(async () => {
        const rows = await sql<{ id: string; photoIds: string[] }[]>`
          select queued_job_id as id, array_agg(photo_id::text order by position) as "photoIds" from queued_job_photos where queued_job_id = any(${[...queuedJobIds]}) group by 1`;
        const byId = new Map(rows.map((row) => [row.id, row.photoIds]));
        return queuedJobIds.map((id) => byId.get(id) ?? []);
      }),
  };
}

function isAllOf(readerId: string, { userId, photoId, filter }: ListScope): boolean {
  return userId === readerId && photoId === null && filter.statuses === null && filter.jobs === null;
}
