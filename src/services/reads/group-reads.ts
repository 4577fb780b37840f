// Pages of groups, and of the members of a group in the order of their submission.
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { JobGroup } from "../../domain/job-group.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import {
  filterCondition,
  liveGroupJson,
  queuedJobJson,
  type QueuedJobFilter,
} from "../queued-jobs/statements.js";
import { createPage, cutPage, type Page, type PageRange } from "./page.js";
import { FIRST_ID, idArray } from "./ids.js";
import { LAST_ID } from "./list-scan.js";

/** A member with its place in the submission. */
export type Member = QueuedJob & { place: number };

/** A page, and the position of the reader's event stream in the same snapshot. */
interface PageWithPosition<Row> extends Page<Row> {
  lastSeq: number;
}

export interface MembersQuery extends Omit<PageRange, "key"> {
  groupId: string;
  readerId: string;
  filter: QueuedJobFilter;
  /** Place beside the page; null for an end of the list. */
  place: number | null;
}

export type GroupReads = ReturnType<typeof createGroupReads>;

export function createGroupReads({ sql }: Pick<Database, "sql">) {
  return {
    /** Reads a page of a user's groups, newest first. */
    page: (userId: string, range: PageRange) => available(() => readPage(sql, userId, range)),

    /** Counts groups, but stops at `most`. */
    count: (userId: string, most: number): Promise<number> =>
      available(async () => {
        const [row] = await sql<{ n: number }[]>`
          select count(*)::int as n from (select from job_groups
            where user_id = ${userId} and deleted_at is null limit ${most}) g`;
        return row?.n ?? 0;
      }),

    /** Reads a page of members, in the order of their submission. */
    members: (query: MembersQuery) => available(() => readMembers(sql, query)),

    countMembers: (groupId: string, filter: QueuedJobFilter): Promise<number> =>
      available(async () => (await readPlaces(sql, groupId, filter)).length),

    /** Returns the mean progress of each group's members, of which finished ones count as 1. */
    progress: (groupIds: readonly string[]) => available(() => readProgress(sql, groupIds)),
  };
}

async function readPage(
  sql: Sql,
  userId: string,
  range: PageRange,
): Promise<PageWithPosition<JobGroup>> {
  const { backward, size } = range;
  const key = range.key ?? (backward ? FIRST_ID : LAST_ID);
  const rows = await sql<{ lastSeq: number; hasBehind: boolean; group: JobGroup | null }[]>`
    select s.last_seq::float8 as "lastSeq", g.group,
      exists (select from job_groups b where b.user_id = s.user_id and b.deleted_at is null
        and b.id ${backward ? sql`<=` : sql`>=`} ${key} and ${range.key !== null}) as "hasBehind"
    from user_streams s left join lateral (
      select g.id, ${liveGroupJson(sql)} as "group" from job_groups g
      where g.user_id = s.user_id and g.deleted_at is null
        and g.id ${backward ? sql`>` : sql`<`} ${key}
      order by g.id ${backward ? sql`asc` : sql`desc`} limit ${size + 1}) g on true
    where s.user_id = ${userId} order by g.id desc`;
  const groups = rows.flatMap(({ group }) => group ?? []);
  const page = createPage(groups, range, rows[0]?.hasBehind ?? false);
  return { ...page, lastSeq: rows[0]?.lastSeq ?? 0 };
}

/** A group has at most 500 members, so their places are read at once. */
function readPlaces(
  sql: Sql,
  groupId: string,
  filter: QueuedJobFilter,
): Promise<{ id: string; place: number }[]> {
  return sql<{ id: string; place: number }[]>`
    select t.id, t.group_place as place from queued_jobs t
    where t.group_id = ${groupId} ${filterCondition(sql, filter)} order by t.group_place`;
}

async function readMembers(
  sql: Sql,
  { groupId, readerId, filter, place, ...range }: MembersQuery,
): Promise<PageWithPosition<Member>> {
  // The position is read first: a later page may then repeat events, but misses none.
  const [stream] = await sql<{ lastSeq: number }[]>`
    select last_seq::float8 as "lastSeq" from user_streams where user_id = ${readerId}`;
  const keyOf = (row: { place: number }) => String(row.place).padStart(5, "0");
  const key = place === null ? null : keyOf({ place });
  const places = await readPlaces(sql, groupId, filter);
  const page = cutPage<{ id: string; place: number }>(
    places,
    { ...range, key },
    { keyOf, descending: false },
  );
  const ids = page.rows.map(({ id }) => id);
  const rows = await sql<{ place: number; queuedJob: QueuedJob }[]>`
    select t.group_place as place, ${queuedJobJson(sql, sql`null::jsonb`)} as "queuedJob"
    from queued_jobs t where t.id = any(${idArray(sql, ids)})
    order by t.group_place`;
  const members = rows.map((row) => ({ ...row.queuedJob, place: row.place }));
  return { ...page, rows: members, lastSeq: stream?.lastSeq ?? 0 };
}

async function readProgress(sql: Sql, groupIds: readonly string[]): Promise<number[]> {
  const rows = await sql<{ id: string; progress: number }[]>`
    select g.id, ((g.succeeded + g.failed + g.cancelled + coalesce((
      select sum(q.progress) from queued_jobs q
      where q.group_id = g.id and q.status in ('PENDING', 'STARTED')), 0)) / g.total)::float8
      as progress
    from job_groups g where g.id = any(${[...groupIds]}::uuid[])`;
  const byId = new Map(rows.map(({ id, progress }) => [id, progress]));
  return groupIds.map((id) => byId.get(id) ?? 0);
}
