// Conditions on the photos of a library.
import type { Fragment, Sql } from "postgres";
import { isStorable } from "../../domain/is-storable.js";

export type PhotoOrder = "UPLOADED" | "TAKEN";

/** A box of degrees; it crosses the date line if `east` is less than `west`. */
export interface GeoBox {
  south: number;
  west: number;
  north: number;
  east: number;
}

/** Selects photos; null matches all. */
export interface PhotoFilter {
  /** Inclusive, as wall-clock time. */
  takenAfter: string | null;
  /** Exclusive. */
  takenBefore: string | null;
  within: GeoBox | null;
  cameras: readonly string[] | null;
  /** Part of the file name. */
  filename: string | null;
  damaged: boolean | null;
  /** Only kept outputs, or only uploads. */
  kept: boolean | null;
  /** A photo, and its perceptual hash; a flat picture has none and resembles no other. */
  similarTo: { id: string; phash: bigint | null } | null;
}

export const ANY_PHOTO: PhotoFilter = {
  takenAfter: null,
  takenBefore: null,
  within: null,
  cameras: null,
  filename: null,
  damaged: null,
  kept: null,
  similarTo: null,
};

/** Maximum bits in which hashes of similar photos differ, as in the `hash` Job. */
const MAX_DISTANCE = 6;

/** The time of the row `t` for the order TAKEN, as the index has it. */
export const takenKey = (sql: Sql): Fragment => sql`coalesce(t.taken_at, '-infinity'::timestamp)`;

/** All conditions of a filter on the row `t`; begins with `and`, or is empty. */
export function allConditions(sql: Sql, filter: PhotoFilter): Fragment {
  const { similarTo, damaged, kept, cameras, within, filename } = filter;
  const conditions = [
    takenCondition(sql, filter),
    damaged !== null && (damaged ? sql`t.damaged is not null` : sql`t.damaged is null`),
    kept !== null && (kept ? sql`t.made_by is not null` : sql`t.made_by is null`),
    cameras && isOfCamera(sql, cameras),
    within && isWithin(sql, within),
    filename !== null && isNamed(sql, sql`lower(t.filename)`, filename),
    similarTo && isSimilar(sql, similarTo),
  ].filter((condition) => condition !== null && condition !== false);
  return conditions.reduce<Fragment>((all, condition) => sql`${all} and (${condition})`, sql``);
}

/**
 * Each selects the ids of the user's photos that meet one condition of the filter, through an index
 * on it. The one for names reads all of them.
 */
export function candidates(sql: Sql, userId: string, filter: PhotoFilter): Fragment[] {
  const { similarTo, damaged, kept, cameras, within, filename } = filter;
  const matching = (condition: Fragment) =>
    sql`select t.id from photos t where t.user_id = ${userId} and (${condition})`;
  if (similarTo)
    return [
      sql`${inOrder(sql, userId, { value: sql`t.phash`, alias: sql`phash` })}
        where ${isSimilar(sql, similarTo)}`,
    ];
  return [
    damaged && matching(sql`t.damaged is not null`),
    kept && matching(sql`t.made_by is not null`),
    cameras && matching(isOfCamera(sql, cameras)),
    within && matching(isWithin(sql, within)),
    filename !== null &&
      sql`${inOrder(sql, userId, { value: sql`lower(t.filename)`, alias: sql`name` })}
        where ${isNamed(sql, sql`t.name`, filename)}`,
  ].filter((source) => source !== null && source !== false);
}

/** All values of a user, sorted so that the planner reads them from their index alone. */
function inOrder(
  sql: Sql,
  userId: string,
  { value, alias }: { value: Fragment; alias: Fragment },
): Fragment {
  return sql`
    select t.id from (
      select t.id, ${value} as ${alias} from photos t where t.user_id = ${userId}
      order by t.user_id, ${value} offset 0) t`;
}

/** The condition on the time; null if there is none. Each text is parsed once, not for each row. */
export function takenCondition(
  sql: Sql,
  { takenAfter, takenBefore }: Pick<PhotoFilter, "takenAfter" | "takenBefore">,
): Fragment | null {
  if (takenAfter === null && takenBefore === null) return null;
  const key = takenKey(sql);
  const from =
    takenAfter === null ? sql`> '-infinity'` : sql`>= (select ${takenAfter}::text::timestamp)`;
  return takenBefore === null
    ? sql`${key} ${from}`
    : sql`${key} ${from} and ${key} < (select ${takenBefore}::text::timestamp)`;
}

function isOfCamera(sql: Sql, cameras: readonly string[]): Fragment {
  return sql`t.camera = any(${cameras.filter(isStorable)})`;
}

/** The planner does not see the degrees, so that it keeps its plan in a large table, too. */
function isWithin(sql: Sql, { south, west, north, east }: GeoBox): Fragment {
  const degrees = (value: number) => sql`(select ${value}::float8)`;
  const columns = sql`t.latitude between ${degrees(south)} and ${degrees(north)}`;
  return west <= east
    ? sql`${columns} and t.longitude between ${degrees(west)} and ${degrees(east)}`
    : sql`${columns} and (t.longitude >= ${degrees(west)} or t.longitude <= ${degrees(east)})`;
}

/** The text is converted once, not for each row. */
function isNamed(sql: Sql, name: Fragment, text: string): Fragment {
  return isStorable(text) ? sql`strpos(${name}, (select lower(${text}::text))) > 0` : sql`false`;
}

function isSimilar(sql: Sql, { id, phash }: NonNullable<PhotoFilter["similarTo"]>): Fragment {
  if (phash === null) return sql`false`;
  return sql`t.id <> ${id}
    and bit_count((t.phash # ${String(phash)}::bigint)::bit(64)) <= ${MAX_DISTANCE}`;
}
