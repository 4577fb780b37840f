// Pages and counts of lists of QueuedJobs; those of many users or photos take one statement. Each
// uses an index that leads to its rows, however many other rows the user has.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { queuedJobJson } from "../queued-jobs/statements.js";
import { FIRST_ID } from "./ids.js";
import { behind, idsIn, LAST_ID, withBehind, type ListScope, type Scan } from "./list-scan.js";
import {
  briefColumns,
  createOwnPages,
  EMPTY_PAGE,
  toPage,
  type ListedQueuedJob,
  type PagePosition,
  type QueuedJobPage,
} from "./own-pages.js";
import { UNBOUNDED, type PageRange, type ReadBudget } from "./page.js";

/** Columns of a row: those of most lists, all except parameters and result, or all. */
export type ListColumns = "brief" | "state" | "whole";

export interface PageQuery extends PageRange {
  readerId: string;
  /** Default: "whole". */
  columns?: ListColumns;
  budget?: ReadBudget;
  /**
   * Number of the reader's event that the page must include at least. Such a page may come from a
   * replica.
   */
  knownSeq?: number;
}

/** A row of a page, as JSON or as columns, or only the position for an empty page. */
type PageRow = { place: number } & PagePosition &
  (
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
    const { readerId, columns = "whole", budget = UNBOUNDED } = query;
    const rows = sql`
      select q.place::int, s.last_seq::float8 as "lastSeq", q."hasBehind", j.*
      from ${withBehind(sql, scopesOf(sql, scopes), anyBehind(sql, scopes, query))}
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
    const pages = inScopes(result, scopes).map((own) => toPage(own.map(withQueuedJob), query));
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
          from (${idsIn(sql, scopes, { key: LAST_ID, backward: false }, most)}) few) c`;
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
    select place, "lastSeq", "hasBehind", id, text from (
      select *, coalesce(sum(octet_length(text)) over (order by place,
        id desc rows between unbounded preceding and 1 preceding), 0) as before
        from (${rows}) page) bounded
    where before <= ${bytesLeft}`;
}

/** The maximum number of scopes that one statement should read. */
export function scopesAtOnce(
  { size, columns }: { size: number; columns: ListColumns },
  most: number,
): number {
  return columns === "whole" ? Math.max(1, Math.floor(MAX_WHOLE_ROWS / (size + 1))) : most;
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

function withQueuedJob(row: PageRow): PagePosition & { queuedJob: ListedQueuedJob | null } {
  const { lastSeq, hasBehind = false } = row;
  if (row.id === null) return { lastSeq, hasBehind, queuedJob: null };
  const isJson = row.text !== undefined;
  const queuedJob = isJson ? (JSON.parse(row.text) as ListedQueuedJob) : row;
  return { lastSeq, hasBehind, queuedJob };
}

function scanOf({ key, backward }: PageRange): Scan {
  return { key: key ?? (backward ? FIRST_ID : LAST_ID), backward };
}

/** Selects the rows of a page in the scope `q`, and one more. */
function pageRows(sql: Sql, scopes: readonly ListScope[], query: PageQuery): Fragment {
  const { size, columns = "whole" } = query;
  const ids = idsIn(sql, scopes, scanOf(query), size + 1);
  const source =
    columns === "whole"
      ? sql`queued_jobs`
      : sql`lateral (select ${stateColumns(sql)} from queued_jobs where id = i.id)`;
  const rows = sql`from (${ids}) i join ${source} t on t.id = i.id`;
  if (columns === "brief") return sql`select t.id, ${briefColumns(sql)} ${rows}`;
  return sql`select t.id, ${queuedJobJson(sql, sql`null::jsonb`)}::text as text ${rows}`;
}

/** Selects the nearest row in the scope `q` behind the page; null at an end of the list. */
function anyBehind(sql: Sql, scopes: readonly ListScope[], range: PageRange): Fragment {
  return range.key === null ? sql`null` : idsIn(sql, scopes, behind(scanOf(range)), 1);
}

/** Columns of a row without the values that may be long, which are not even read. */
function stateColumns(sql: Sql): Fragment {
  return sql`id, user_id, job_name, status, photo_count, priority, run_at, progress,
    progress_message, attempts, error_code, error_message, version,
    created_at, updated_at, started_at, finished_at, expires_at, reused_from,
    group_id, group_key, waiting_for, takes_photos,
    null::jsonb as parameters, null::jsonb as result`;
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
