// Pages of a user's photos in two orders, with filters. A condition that few photos meet is read
// through its own index, and these are sorted. Otherwise matches are found on a walk in the order
// itself, which reads an index alone. The conditions are tried in turn. With only the first of three,
// the photos that meet all of them were found among 100,000 in 22 ms instead of 12.
import type { Fragment, Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { Photo, Photos } from "../photos/photos.js";
import { FIRST_ID } from "./ids.js";
import { LAST_ID, rowsOfUser } from "./list-scan.js";
import { createPage, type Page, type PageRange } from "./page.js";
import {
  allConditions,
  candidates,
  takenCondition,
  takenKey,
  type PhotoFilter,
  type PhotoOrder,
} from "./photo-filter.js";

/** Number of candidates up to which they are sorted. */
const MAX_SORTED = 1000;
/** Number of photos in which a name is searched before it is looked up. */
const MAX_NEWEST = 5000;
/**
 * Rows of the largest page, and one more. The planner sees this number and not the user, or it would
 * expect fewer rows with the values than without them, and plan each page in a large table again.
 */
const MAX_ROWS = "101";

export interface PhotoQuery {
  userId: string;
  filter: PhotoFilter;
  order: PhotoOrder;
}

/** A page of photos, and the position of their owner's events in the same snapshot. */
export interface PhotoPage extends Page<Photo> {
  lastSeq: number;
}

/** The photos of one day; null for those without a time. */
export interface PhotoDay {
  day: string | null;
  count: number;
}

export interface PhotoLibrary {
  /** Reads a page, newest first; the key of a row is `photoKey`. */
  page(query: PhotoQuery & PageRange): Promise<PhotoPage>;
  /** Counts photos, but stops at `most`. */
  count(query: PhotoQuery, most: number): Promise<number>;
  /** Counts the photos of each day, newest first, at most `most` days. */
  days(query: Omit<PhotoQuery, "order">, most: number): Promise<PhotoDay[]>;
}

const NEVER = "-infinity";

/** The key of a row in the order of its list. */
export function photoKey(order: PhotoOrder, { id, takenAt }: Photo): string {
  return order === "UPLOADED" ? id : `${takenAt ?? NEVER} ${id}`;
}

const TAKEN_KEY =
  /^(-infinity|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const UPLOADED_KEY = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isPhotoKey(order: PhotoOrder, key: string): boolean {
  return (order === "UPLOADED" ? UPLOADED_KEY : TAKEN_KEY).test(key);
}

export function createPhotoLibrary(
  { sql }: Pick<Database, "sql">,
  photos: Pick<Photos, "findMany">,
): PhotoLibrary {
  return {
    async page(query) {
      const rows = await available(() => readPage(sql, query));
      const ids = rows.flatMap(({ id }) => id ?? []);
      const page = createPage(ids, query, rows[0]?.hasBehind ?? false);
      // A photo that was deleted in between is left out; its event follows.
      const found = await photos.findMany(page.rows);
      return {
        ...page,
        rows: found.filter((photo) => photo !== null),
        lastSeq: rows[0]?.lastSeq ?? 0,
      };
    },
    async count({ userId, filter }, most) {
      const all = inOrder(sql, { userId, filter, scan: LAST_TAKEN });
      const [row] = await available(
        () => sql<{ n: number }[]>`
        select count(*)::int as n from (
          select from ${all} where true ${allConditions(sql, filter)} limit ${most}) few`,
      );
      return row?.n ?? 0;
    },
    days({ userId, filter }, most) {
      const all = inOrder(sql, { userId, filter, scan: LAST_TAKEN });
      return available(
        () => sql<PhotoDay[]>`
        select to_char(day, 'YYYY-MM-DD') as day, count from (
          select t.taken_at::date as day, count(*)::int as count from ${all}
          where true ${allConditions(sql, filter)} group by 1) days
        order by days.day desc nulls last limit ${most}`,
      );
    },
  };
}

/** A direction through the list, from a key. */
interface Scan {
  order: PhotoOrder;
  key: string | null;
  backward: boolean;
  /** True if the scan begins at the key itself. */
  inclusive: boolean;
}

const LAST_TAKEN: Scan = { order: "TAKEN", key: null, backward: false, inclusive: false };
const LAST_UPLOADED: Scan = { ...LAST_TAKEN, order: "UPLOADED" };

interface Row {
  /** Null on an empty page. */
  id: string | null;
  lastSeq: number | null;
  hasBehind: boolean;
}

function readPage(sql: Sql, query: PhotoQuery & PageRange): Promise<Row[]> {
  const { userId, filter, order, size, backward, key } = query;
  const conditions = allConditions(sql, filter);
  const sources = sourcesOf(sql, query);
  const walk = (scan: Scan, limit: number, where: Fragment) => {
    const { from, condition, orderBy } = scanOf(sql, { userId, filter, scan });
    return sql`
      select * from (
        select t.id, ${takenKey(sql)} as taken from photos t ${from} ${manyMatches(sql)}
        where ${condition} and ${where} ${conditions}
        order by ${orderBy} limit ${sql.unsafe(MAX_ROWS)}) walk limit ${limit}`;
  };
  const rows = (scan: Scan, limit: number) =>
    sources.length === 0
      ? walk(scan, limit, sql`true`)
      : sql`
        select * from (
          (${sorted(sql, scan, limit)})
          union all (${walk(scan, limit, sql`(select ids from few) is null`)})) either
        order by ${orderOf(sql, scan, "either")} limit ${limit}`;
  const scan: Scan = { order, key, backward, inclusive: false };
  const behind: Scan = { order, key, backward: !backward, inclusive: true };
  return sql<Row[]>`
    ${sources.length === 0 ? sql`` : fewMatches(sql, sources, query)}
    select s.last_seq::float8 as "lastSeq", p.id,
      ${key === null ? sql`false` : sql`exists (${rows(behind, 1)})`} as "hasBehind"
    from (values (${userId}::uuid)) q (user_id) left join user_streams s using (user_id)
    left join lateral (${rows(scan, size + 1)}) p on true
    order by ${orderOf(sql, { ...scan, backward: false }, "p")}`;
}

/**
 * Each selects ids that include all matches; the first one with few is used. In a time range, all
 * conditions are checked on the index of the times. When many photos meet them, a walk soon ends.
 */
function sourcesOf(sql: Sql, { userId, filter, order }: PhotoQuery): Fragment[] {
  const newest = sql`(
    select * from ${inOrder(sql, { userId, filter, scan: LAST_UPLOADED })} limit ${MAX_NEWEST}) t`;
  const sources = candidates(sql, { userId, filter, newest });
  if (filter.similarTo || order === "TAKEN" || !takenCondition(sql, filter)) return sources;
  const inTime = inOrder(sql, { userId, filter, scan: LAST_TAKEN });
  return [...sources, sql`select t.id from ${inTime} where true ${allConditions(sql, filter)}`];
}

/**
 * Reads `ids` from the first source with few, and the matches among them. `offset 0` keeps the
 * planner from reading the index of a condition again, and comparing each row with all ids.
 */
function fewMatches(sql: Sql, sources: Fragment[], { userId, filter }: PhotoQuery): Fragment {
  const ids = sources.map((source) => idsIfFew(sql, source));
  return sql`
    with few as materialized (
      select coalesce(${ids.reduce((all, more) => sql`${all}, ${more}`)}) as ids),
    matches as materialized (
      select t.id, ${takenKey(sql)} as taken from (${allRows(sql)}
        where t.id = any((select ids from few)::uuid[]) and t.user_id = ${userId} offset 0) t
      where true ${allConditions(sql, filter)})`;
}

/** Null if there are many. The later ones of `coalesce` are then read, and otherwise not. */
function idsIfFew(sql: Sql, source: Fragment): Fragment {
  return sql`(
    select case when count(*) <= ${MAX_SORTED} then coalesce(array_agg(c.id), '{}') end
    from (${source} limit ${MAX_SORTED + 1}) c)`;
}

/** Sorts the few matches. */
function sorted(sql: Sql, scan: Scan, limit: number): Fragment {
  return sql`
    select f.id, f.taken from matches f
    where true ${past(sql, scan, { taken: sql`f.taken`, id: sql`f.id` })}
    order by ${orderOf(sql, scan, "f")} limit ${limit}`;
}

/**
 * The rows `t` of a user in this order. `offset 0` hides the conditions on them from the planner,
 * so that it reads the index of the order alone, whatever it expects of the conditions.
 */
function inOrder(
  sql: Sql,
  { userId, filter, scan }: { userId: string; filter: PhotoFilter; scan: Scan },
): Fragment {
  const { from, condition, orderBy } = scanOf(sql, { userId, filter, scan });
  return sql`(${allRows(sql)} ${from} where ${condition} order by ${orderBy} offset 0) t`;
}

/** The parts of a statement that reads the rows `t` of a user in this order. */
function scanOf(
  sql: Sql,
  { userId, filter, scan }: { userId: string; filter: PhotoFilter; scan: Scan },
): Record<"from" | "condition" | "orderBy", Fragment> {
  const { order, key, backward } = scan;
  const direction = sql.unsafe(backward ? "asc" : "desc");
  if (order === "UPLOADED") {
    const { where, orderBy } = rowsOfUser(sql, {
      ...scan,
      key: key ?? (backward ? FIRST_ID : LAST_ID),
    });
    const from = sql`cross join (values ((select ${userId}::uuid))) q (user_id)`;
    return { from, condition: where, orderBy };
  }
  const taken = takenKey(sql);
  return {
    from: sql``,
    condition: sql`t.user_id = ${userId} ${past(sql, scan, { taken, id: sql`t.id` })}
      and (${takenCondition(sql, filter) ?? sql`true`})`,
    orderBy: sql`${taken} ${direction}, t.id ${direction}`,
  };
}

/**
 * Joins one row, of which the planner expects 1,000,000. It so expects that a walk soon has all rows
 * of its page, and reads the index of the order, whatever the conditions are. These are checked
 * inside of the index: 100,000 entries take 10 ms, but 30 ms behind a subquery with `offset 0`.
 */
const manyMatches = (sql: Sql): Fragment => sql`
  cross join generate_series(1, (select 1)) many cross join generate_series(1, (select 1)) more`;

/** All that the conditions read. */
const allRows = (sql: Sql): Fragment => sql`
  select t.id, t.taken_at, t.camera, t.latitude, t.longitude, t.filename, t.damaged, t.made_by,
    t.phash from photos t`;

/** The condition that a row is beyond the key; begins with `and`, or is empty. */
function past(
  sql: Sql,
  { order, key, backward, inclusive }: Scan,
  row: { taken: Fragment; id: Fragment },
): Fragment {
  if (key === null) return sql``;
  const end = inclusive ? sql`=` : sql``;
  const beyond = backward ? sql`>${end}` : sql`<${end}`;
  if (order === "UPLOADED") return sql`and ${row.id} ${beyond} ${key}::uuid`;
  const [, taken = NEVER, id = ""] = TAKEN_KEY.exec(key) ?? [];
  return sql`and (${row.taken}, ${row.id}) ${beyond} (${taken}::text::timestamp, ${id}::uuid)`;
}

function orderOf(sql: Sql, { order, backward }: Scan, alias: "either" | "f" | "p"): Fragment {
  const direction = sql.unsafe(backward ? "asc" : "desc");
  const id = sql`${sql.unsafe(alias)}.id ${direction}`;
  return order === "UPLOADED" ? id : sql`${sql.unsafe(alias)}.taken ${direction}, ${id}`;
}
