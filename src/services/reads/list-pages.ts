// Pages and counts of lists of QueuedJobs; those of many users or photos take one statement. Each
// uses an index that leads to its rows, however many other rows the user has.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { UNFINISHED_STATUSES, type QueuedJobStatus } from "../../domain/queued-job-status.js";
import {
  briefColumns,
  createOwnPages,
  EMPTY_PAGE,
  LAST_ID,
  toPage,
  type ListedQueuedJob,
  type QueuedJobPage,
} from "./own-pages.js";
import { filterCondition, queuedJobJson, type QueuedJobFilter } from "../queued-jobs/statements.js";
import { UNBOUNDED, type ReadBudget } from "./read-budget.js";

/** The QueuedJobs of a list; a null user means all users. */
export interface ListScope {
  userId: string | null;
  /** Limits the list to QueuedJobs on this photo. */
  photoId: string | null;
  filter: QueuedJobFilter;
}

/** Columns of a row: those of most lists, all except parameters and result, or all. */
export type ListColumns = "brief" | "state" | "whole";

export interface PageQuery {
  readerId: string;
  first: number;
  beforeId: string | null;
  /** Default: "whole". */
  columns?: ListColumns;
  budget?: ReadBudget;
}

/** A row of a page, as JSON or as columns, or only the position for an empty page. */
type PageRow = { place: number; lastSeq: number } & (
  | { id: null; text?: null }
  | { id: string; text: string }
  | ({ text?: undefined } & ListedQueuedJob)
);

/** Maximum whole rows per statement: each may have a third of a megabyte. */
const MAX_WHOLE_ROWS = 200;

export function createListPages({ sql, foreignRows }: Database) {
  const ownPage = createOwnPages({ sql, foreignRows });

  async function readPages(
    scopes: readonly ListScope[],
    query: PageQuery,
  ): Promise<QueuedJobPage[]> {
    const { readerId, columns = "whole", first, budget = UNBOUNDED } = query;
    const rows = sql`
      select q.place::int, s.last_seq::float8 as "lastSeq", j.* from ${scopesOf(sql, scopes)}
        join user_streams s on s.user_id = ${readerId}
      left join lateral (${pageRows(sql, scopes, query)}) j on true`;
    const result = await sql<
      PageRow[]
    >`${columns === "whole" ? boundedByBytes(sql, rows, budget) : boundedByRows(sql, rows, budget)}
      order by place, id desc`;
    budget.takeRead(
      result.length,
      result.reduce((sum, { text }) => sum + (text?.length ?? 0), 0),
    );
    const pages = inScopes(result, scopes).map((own) => toPage(own.map(withQueuedJob), first));
    const isForeign = ({ userId }: ListScope, page: QueuedJobPage | undefined) =>
      userId !== null && page?.rows.some((row) => row.userId !== userId);
    if (scopes.some((scope, i) => isForeign(scope, pages[i]))) throw foreignRows(result);
    return pages;
  }

  const page = async (scope: ListScope, query: PageQuery): Promise<QueuedJobPage> =>
    (await available(() => readPages([scope], query)))[0] ?? EMPTY_PAGE;

  return {
    /** Returns a page with the reader's event position in the same snapshot. */
    page: (scope: ListScope, query: PageQuery): Promise<QueuedJobPage> =>
      isOwnBrief(scope, query) ? ownPage({ userId: query.readerId, ...query }) : page(scope, query),

    /** Returns pages in the order of the scopes, which may differ only by user and photo. */
    pages(scopes: readonly ListScope[], query: PageQuery): Promise<QueuedJobPage[]> {
      const areOwn = scopes.every((scope) => isOwnBrief(scope, query));
      return areOwn
        ? Promise.all(scopes.map(() => ownPage({ userId: query.readerId, ...query })))
        : available(() => readPages(scopes, query));
    },

    /**
     * Returns counts in the order of the scopes, which may differ only by user and photo. Counting
     * stops at `most`.
     */
    counts: (scopes: readonly ListScope[], most: number): Promise<number[]> =>
      available(async () => {
        const rows = await sql<{ place: number; n: number }[]>`
          select q.place::int, c.n from ${scopesOf(sql, scopes)}
          cross join lateral (select count(*)::int as n
          from (${idsIn(sql, scopes, { beforeId: LAST_ID, limit: most })}) few) c`;
        return inScopes(rows, scopes).map(([row]) => row?.n ?? 0);
      }),
  };
}

/** Reads one row above the budget; which rows come back is then irrelevant. */
function boundedByRows(sql: Sql, rows: Fragment, { rowsLeft }: ReadBudget): Fragment {
  return sql`select * from (${rows} limit ${rowsLeft + 1}) bounded`;
}

/** Reads up to and including the row that exceeds the budget. */
function boundedByBytes(sql: Sql, rows: Fragment, { bytesLeft }: ReadBudget): Fragment {
  return sql`
    select place, "lastSeq", id, text from (
      select *, coalesce(sum(octet_length(text)) over (order by place,
        id desc rows between unbounded preceding and 1 preceding), 0) as before
        from (${rows}) page) bounded
    where before <= ${bytesLeft}`;
}

/** The maximum number of scopes that one statement should read. */
export function scopesAtOnce(
  { first, columns }: { first: number; columns: ListColumns },
  most: number,
): number {
  return columns === "whole" ? Math.max(1, Math.floor(MAX_WHOLE_ROWS / (first + 1))) : most;
}

/** Builds the rows `q` with the users and photos of the scopes. */
function scopesOf(sql: Sql, scopes: readonly ListScope[]): Fragment {
  return sql`unnest(${scopes.map(({ userId }) => userId)}::uuid[],
    ${scopes.map(({ photoId }) => photoId)}::uuid[]) with ordinality q(user_id, photo_id, place)`;
}

function inScopes<Row extends { place: number }>(
  rows: readonly Row[],
  scopes: readonly ListScope[],
): Row[][] {
  const own = scopes.map((): Row[] => []);
  for (const row of rows) own[row.place - 1]?.push(row);
  return own;
}

function withQueuedJob(row: PageRow): { lastSeq: number; queuedJob: ListedQueuedJob | null } {
  const { lastSeq } = row;
  if (row.id === null) return { lastSeq, queuedJob: null };
  const isJson = row.text !== undefined;
  return { lastSeq, queuedJob: isJson ? (JSON.parse(row.text) as ListedQueuedJob) : row };
}

interface Range {
  beforeId: string;
  limit: number;
}

/** Selects the rows of a page in the scope `q`, and one more. */
function pageRows(
  sql: Sql,
  scopes: readonly ListScope[],
  { first, beforeId, columns = "whole" }: PageQuery,
): Fragment {
  const ids = idsIn(sql, scopes, { beforeId: beforeId ?? LAST_ID, limit: first + 1 });
  const source =
    columns === "whole"
      ? sql`queued_jobs`
      : sql`lateral (select ${stateColumns(sql)} from queued_jobs where id = i.id)`;
  const rows = sql`from (${ids}) i join ${source} t on t.id = i.id`;
  if (columns === "brief") return sql`select t.id, ${briefColumns(sql)} ${rows}`;
  return sql`select t.id, ${queuedJobJson(sql, sql`null::jsonb`)}::text as text ${rows}`;
}

/** Columns of a row without the values that may be long, which are not even read. */
function stateColumns(sql: Sql): Fragment {
  return sql`id, user_id, job_name, status, photo_count, priority, run_at, progress,
    progress_message, attempts, error_code, error_message, version,
    created_at, updated_at, started_at, finished_at, expires_at, reused_from,
    null::jsonb as parameters, null::jsonb as result`;
}

/** Selects the ids in the scope `q`, newest first. */
function idsIn(sql: Sql, [scope]: readonly ListScope[], range: Range): Fragment {
  if (!scope) throw new Error("A list needs at least one scope");
  const { userId, photoId, filter } = scope;
  const { beforeId, limit } = range;
  if (photoId !== null) return idsOnPhoto(sql, filter, range);
  if (userId === null)
    return sql`select t.id from queued_jobs t where t.id < ${beforeId}
      ${filterCondition(sql, filter)} order by t.id desc limit ${limit}`;
  if (filter.statuses !== null) return idsInStatuses(sql, filter, filter.statuses, range);
  return sql`${idsOfUser(sql, beforeId)} ${filterCondition(sql, filter)}
    order by t.user_id desc, t.id desc limit ${limit}`;
}

/** Distinct, because a QueuedJob may contain the same photo several times. */
function idsOnPhoto(sql: Sql, filter: QueuedJobFilter, { beforeId, limit }: Range): Fragment {
  return sql`
    select distinct l.queued_job_id as id from queued_job_photos l join queued_jobs t
      on t.id = l.queued_job_id
    where l.photo_id = q.photo_id and l.queued_job_id < ${beforeId}
      and t.user_id = q.user_id ${filterCondition(sql, filter)} order by id desc limit ${limit}`;
}

/** Reads each status through the index that serves it. */
function idsInStatuses(
  sql: Sql,
  filter: QueuedJobFilter,
  statuses: readonly QueuedJobStatus[],
  { beforeId, limit }: Range,
): Fragment {
  const jobs = filterCondition(sql, { statuses: null, jobs: filter.jobs });
  const end = sql`order by id desc limit ${limit}`;
  const unfinished = UNFINISHED_STATUSES.filter((status) => statuses.includes(status));
  const parts: Fragment[] = [];
  if (statuses.includes("SUCCESS"))
    parts.push(
      sql`${idsOfUser(sql, beforeId)} and t.status = 'SUCCESS' ${jobs}
        order by t.user_id desc, t.id desc limit ${limit}`,
    );
  // Statuses are literals: with a parameter, the planner does not use the partial index.
  for (const [status, literal] of [
    ["FAILED", sql`'FAILED'`],
    ["CANCELLED", sql`'CANCELLED'`],
  ] as const) {
    if (statuses.includes(status))
      parts.push(sql`
      select t.id from queued_jobs t where t.user_id = q.user_id and t.status = ${literal}
        and t.id < ${beforeId} ${jobs} order by t.id desc limit ${limit}`);
  }
  // Unfinished rows are few and unordered. `offset 0` keeps the planner from searching them in the
  // order of their ids.
  if (unfinished.length > 0)
    parts.push(sql`
    select * from (
      select t.id from queued_jobs t where t.user_id = q.user_id
        and t.status in ('PENDING', 'STARTED') and t.status = any(${unfinished})
          and t.id < ${beforeId} ${jobs} offset 0) u ${end}`);
  const [first = sql`select null::uuid as id where false`, ...more] = parts;
  return sql`select id from
    (${more.reduce((all, part) => sql`${all} union all (${part})`, sql`(${first})`)}) parts ${end}`;
}

/**
 * Compares user and id as one value and orders by both, so that only one index fits. Otherwise the
 * planner might walk through the rows of all users to find those of one user.
 */
function idsOfUser(sql: Sql, beforeId: string): Fragment {
  return sql`select t.id from queued_jobs t where t.user_id >= q.user_id
    and (t.user_id, t.id) < (q.user_id, ${beforeId})`;
}

/**
 * Returns true for a page of all QueuedJobs of the reader with the usual columns. Such pages of
 * several readers are read together.
 */
export function isOwnBrief(
  { userId, photoId, filter }: ListScope,
  { readerId, columns }: PageQuery,
): boolean {
  return (
    columns === "brief" &&
    userId === readerId &&
    photoId === null &&
    filter.statuses === null &&
    filter.jobs === null
  );
}
