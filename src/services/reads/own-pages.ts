// The most frequent list is a page of all QueuedJobs of its reader. It has a fast path: columns
// instead of JSON, and one statement for all requests that arrive while another one runs. Measured
// with pages of 20 with user and job, 32 connections, 2 shared cores, medians of 3 rounds. This path
// took 1.2 ms of CPU and made 297 pages a second. Whole rows through list-pages took 3.1 ms (187
// pages). Their state as JSON from PostgreSQL took 4.4 ms (108 pages). With a statement for each turn
// of the event loop, planned again each time, PostgreSQL took 48 µs for a page instead of 19.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import { FIRST_ID, idArray } from "./ids.js";
import { behind, LAST_ID, rowsOfUser, withBehind, type Scan } from "./list-scan.js";
import { createPage, type Page, type PageRange } from "./page.js";

/** A row of a list: these columns always, others only if the list reads them. */
export type ListedQueuedJob = Partial<QueuedJob> &
  Pick<
    QueuedJob,
    | "id"
    | "userId"
    | "jobName"
    | "status"
    | "photoCount"
    | "priority"
    | "progress"
    | "attempts"
    | "version"
    | "createdAt"
  >;

/** A page, newest first, and the position of the reader's event stream in the same snapshot. */
export interface QueuedJobPage extends Page<ListedQueuedJob> {
  lastSeq: number;
}

/** A request for a page of all QueuedJobs of a user. */
export interface OwnPage extends PageRange {
  userId: string;
}

/** A row of a page, or only the position for an empty page. */
type Row = { page: number } & PagePosition &
  (({ readerId: null } & ListedQueuedJob) | { readerId: string; id: null; userId: null });

/** The values that all rows of a page have in common. */
export interface PagePosition {
  lastSeq: number;
  /** Undefined for a page that starts at an end of the list. */
  hasBehind?: boolean;
}

/** Maximum pages per statement, because short pages wait for the rows of the longest. */
const MAX_PAGES = 32;
/** Maximum pages of one kind that wait in a lane. */
const MAX_WAITING = 5000;
/** Concurrent statements of one kind, so that a user does not wait for all others. */
const LANES = 2;

/** Selects columns instead of JSON, which costs PostgreSQL five times as much. */
export const briefColumns = (sql: Sql) =>
  sql`t.user_id as "userId", t.job_name as "jobName", t.status, t.photo_count as "photoCount",
    t.priority, t.progress, t.attempts, t.version, rfc3339(t.created_at) as "createdAt"`;

/**
 * Reads pages of brief rows. One statement reads all pages of one kind that are requested while
 * another one runs, and equal pages once. It starts after the last request, so that each reader
 * sees what was recorded before.
 */
export function createOwnPages(
  database: Pick<Database, "sql" | "foreignRows">,
): (page: OwnPage) => Promise<QueuedJobPage> {
  const kind = (backward: boolean, atEnd: boolean) =>
    readTogether(createReader(database, { backward, atEnd }));
  const [first, next] = [kind(false, true), kind(false, false)];
  const [last, previous] = [kind(true, true), kind(true, false)];
  return (page) => {
    const isAtEnd = page.key === null;
    if (page.backward) return isAtEnd ? last(page) : previous(page);
    return isAtEnd ? first(page) : next(page);
  };
}

type Reader = (requests: OwnPage[]) => Promise<QueuedJobPage[]>;

function readTogether(read: Reader): (page: OwnPage) => Promise<QueuedJobPage> {
  const keyOf = ({ userId, size, key }: OwnPage) => `${userId} ${size} ${key}`;

  async function readAll(pages: OwnPage[]): Promise<QueuedJobPage[]> {
    const different = new Map(pages.map((page) => [keyOf(page), page]));
    const results = await available(() => read([...different.values()]));
    const byKey = new Map([...different.keys()].map((key, i) => [key, results[i]]));
    return pages.map((page) => byKey.get(keyOf(page)) ?? EMPTY_PAGE);
  }

  return createMicroBatch<OwnPage, QueuedJobPage>({
    lanes: LANES,
    maxItems: MAX_PAGES,
    maxWaiting: MAX_WAITING,
    laneOf: ({ userId }) => userId,
    // A batch may contain the same page several times.
    keyOf: () => [],
    sendOne: async (page) => (await readAll([page]))[0] ?? EMPTY_PAGE,
    sendMany: readAll,
  });
}

/** The page of a user whose account was deleted in the meantime. */
export const EMPTY_PAGE: QueuedJobPage = {
  rows: [],
  hasPrevious: false,
  hasNext: false,
  lastSeq: 0,
};

/**
 * Reads pages in one direction that all start at an end of the list, or all at a key. The fragments
 * are created once, because creating them takes a tenth of the time of a page.
 */
function createReader(
  { sql, foreignRows }: Pick<Database, "sql" | "foreignRows">,
  { backward, atEnd }: { backward: boolean; atEnd: boolean },
): Reader {
  const scan: Scan = { key: sql`q.key`, backward };
  const { where, orderBy } = rowsOfUser(sql, scan);
  const end = backward ? FIRST_ID : LAST_ID;
  const hasBehind = atEnd ? sql`` : sql`q."hasBehind",`;
  const anyBehind = nearestBehind(sql, scan);
  const rowsOfPages = sql`left join user_streams s on s.user_id = q.user_id
    left join lateral (
      select t.id, ${briefColumns(sql)} from queued_jobs t
      where ${where} order by ${orderBy} limit q.most) j on true
    order by q.page, j.id desc`;

  return async (requests) => {
    const userIds = requests.map(({ userId }) => userId);
    const queries = sql`unnest(${idArray(sql, userIds)},
      ${requests.map(({ key }) => key ?? end)}::uuid[],
      ${requests.map(({ size }) => size + 1)}::int[])
      with ordinality as q(user_id, key, most, page)`;
    const rows = await sql<Row[]>`
      select q.page::int, s.last_seq::float8 as "lastSeq", case when j.id is null then q.user_id
        end as "readerId", ${hasBehind} j.*
      from ${atEnd ? queries : withBehind(sql, queries, anyBehind)} ${rowsOfPages}`;
    const pages = requests.map((): Row[] => []);
    for (const row of rows) pages[row.page - 1]?.push(row);
    // Each page returns at least one row; otherwise the rows belong to another statement.
    if (!requests.every(({ userId }, i) => isOf(userId, pages[i] ?? []))) throw foreignRows(rows);
    return requests.map((request, i) => toPage((pages[i] ?? []).map(withQueuedJob), request));
  };
}

/** Selects the nearest row of the user `q` behind the scan. */
function nearestBehind(sql: Sql, scan: Scan): Fragment {
  const { where, orderBy } = rowsOfUser(sql, behind(scan));
  return sql`select t.id from queued_jobs t where ${where} order by ${orderBy} limit 1`;
}

function withQueuedJob(row: Row): PagePosition & { queuedJob: ListedQueuedJob | null } {
  const { lastSeq, hasBehind = false } = row;
  return { lastSeq, hasBehind, queuedJob: row.id === null ? null : row };
}

function isOf(userId: string, rows: Row[]): boolean {
  return rows.length > 0 && rows.every((row) => (row.readerId ?? row.userId) === userId);
}

/** Builds a page. An empty page comes as one row that has only the position. */
export function toPage(
  rows: (PagePosition & { queuedJob: ListedQueuedJob | null })[],
  range: PageRange,
): QueuedJobPage {
  const listed = rows.flatMap(({ queuedJob }) => queuedJob ?? []);
  const [position] = rows;
  return {
    ...createPage(listed, range, position?.hasBehind ?? false),
    lastSeq: position?.lastSeq ?? 0,
  };
}
