// Conditions on the photos of a library.
import type { Fragment, Sql } from "postgres";
import {
  HASH_KEYS,
  hashKeys,
  keyPrefix,
  KEYS_PER_HASH,
  NAME_KEYS,
  NAME_KEY_LENGTH,
} from "../../db/schema/photo-keys.js";
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

/**
 * Maximum bits in which hashes of similar photos differ, as in the `hash` Job. Such hashes have one
 * of their keys in common.
 */
const MAX_DISTANCE = KEYS_PER_HASH - 1;

/** The time of the row `t` for the order TAKEN, as the index has it. */
export const takenKey = (sql: Sql): Fragment => sql`coalesce(t.taken_at, '-infinity'::timestamp)`;

/** All conditions of a filter on the row `t`; begins with `and`, or is empty. */
export function allConditions(sql: Sql, filter: PhotoFilter): Fragment {
  const { similarTo, damaged, kept, cameras, within, filename } = filter;
  const conditions = [
    takenCondition(sql, filter, sql`t.taken_at`),
    damaged !== null && (damaged ? sql`t.damaged is not null` : sql`t.damaged is null`),
    kept !== null && (kept ? sql`t.made_by is not null` : sql`t.made_by is null`),
    cameras && isOfCamera(sql, cameras),
    within && isWithin(sql, within),
    filename !== null && isNamed(sql, filename),
    similarTo && isSimilar(sql, similarTo),
  ].filter((condition) => condition !== null && condition !== false);
  return conditions.reduce<Fragment>((all, condition) => sql`${all} and (${condition})`, sql``);
}

/**
 * Each selects the ids of the user's photos that meet one condition of the filter, through an index
 * on it. The `newest` photos are searched first for a name: the index of the keys reads all matches
 * before it returns the first one, 100,000 of them in 15 ms.
 */
export function candidates(
  sql: Sql,
  { userId, filter, newest }: { userId: string; filter: PhotoFilter; newest: Fragment },
): Fragment[] {
  const { similarTo, damaged, kept, cameras, within, filename } = filter;
  const matching = (condition: Fragment) =>
    sql`select t.id from photos t where t.user_id = ${userId} and (${condition})`;
  if (similarTo)
    return [withKeys(sql, hasHashKey(sql, userId, similarTo), isSimilar(sql, similarTo))];
  return [
    damaged && matching(sql`t.damaged is not null`),
    kept && matching(sql`t.made_by is not null`),
    cameras && matching(isOfCamera(sql, cameras)),
    within && matching(isWithin(sql, within)),
    filename !== null &&
      sql`select t.id from ${newest} where ${isNamed(sql, filename)} union all
        ${withKeys(sql, hasNameKeys(sql, userId, filename), isNamed(sql, filename))}`,
  ].filter((source) => source !== null && source !== false);
}

/**
 * Selects by `keys`, which few others have. The planner reads these from their own index, because no
 * other contains all columns here; in a small table, it would otherwise read one as a whole.
 */
function withKeys(sql: Sql, keys: Fragment, condition: Fragment): Fragment {
  return sql`select t.id from photos t where ${keys} and ${condition} and t.byte_size >= 0`;
}

/** The photos whose name has all keys of the text, or a key that begins with a short text. */
function hasNameKeys(sql: Sql, userId: string, text: string): Fragment {
  if (!isStorable(text)) return sql`false`;
  return sql`${sql.unsafe(NAME_KEYS)} @@ (
    select string_agg(
      '''' || replace(replace(${keyPrefix(userId)}::text || part, '\\', '\\\\'), '''', '''''') ||
      case when length(part) < ${NAME_KEY_LENGTH} then ''':*' else '''' end, ' & ')::tsquery
    from (select lower(${text}::text) as text) name,
      generate_series(1, greatest(length(name.text) - ${NAME_KEY_LENGTH - 1}, 1)) first,
      substr(name.text, first, ${NAME_KEY_LENGTH}) part)`;
}

/** The photos whose hash has a key in common with that of `similarTo`. */
function hasHashKey(
  sql: Sql,
  userId: string,
  { phash }: NonNullable<PhotoFilter["similarTo"]>,
): Fragment {
  if (phash === null) return sql`false`;
  return sql`${sql.unsafe(HASH_KEYS)} && (select ${hashKeys(userId, phash)}::text[])`;
}

/** The condition on the time; null if there is none. Each text is parsed once, not for each row. */
export function takenCondition(
  sql: Sql,
  { takenAfter, takenBefore }: Pick<PhotoFilter, "takenAfter" | "takenBefore">,
  key = takenKey(sql),
): Fragment | null {
  if (takenAfter === null && takenBefore === null) return null;
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
function isNamed(sql: Sql, text: string): Fragment {
  if (!isStorable(text)) return sql`false`;
  return sql`strpos(lower(t.filename), (select lower(${text}::text))) > 0`;
}

function isSimilar(sql: Sql, { id, phash }: NonNullable<PhotoFilter["similarTo"]>): Fragment {
  if (phash === null) return sql`false`;
  return sql`t.id <> ${id}
    and bit_count((t.phash # ${String(phash)}::bigint)::bit(64)) <= ${MAX_DISTANCE}`;
}
