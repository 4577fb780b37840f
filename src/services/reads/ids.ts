import type { Fragment, Sql } from "postgres";
import { InvalidInputError } from "../../domain/errors.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const CHUNK_SIZE = 1000;

/** Smaller than all ids, as the start of paging. */
export const FIRST_ID = "00000000-0000-0000-0000-000000000000";

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Returns the id in lower case. Throws InvalidInputError at `path` for a malformed id, which
 * differs from an unknown one.
 */
export function parseId(text: string, path: (string | number)[] = ["id"]): string {
  if (!isUuid(text)) throw InvalidInputError.at(path, "is not an id: ids are UUIDs");
  return text.toLowerCase();
}

/**
 * An array for `unnest` or `any`, whose length is hidden from the planner. Otherwise PostgreSQL plans
 * the statement again each time, for this length. A page took 19 times as long to plan as to read.
 */
export function idArray(sql: Sql, ids: readonly string[]): Fragment {
  return sql`(select ${[...ids]}::uuid[])::uuid[]`;
}

/** Reads the rows of distinct ids in chunks of a thousand. */
export async function inChunks<Row>(
  ids: readonly string[],
  read: (ids: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const distinct = [...new Set(ids)];
  const rows: Row[] = [];
  for (let i = 0; i < distinct.length; i += CHUNK_SIZE)
    rows.push(...(await read(distinct.slice(i, i + CHUNK_SIZE))));
  return rows;
}
