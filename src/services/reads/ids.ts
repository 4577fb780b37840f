import { InvalidInputError } from "../../domain/errors.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const CHUNK_SIZE = 1000;

/** Before all ids, to page from. */
export const FIRST_ID = "00000000-0000-0000-0000-000000000000";

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * The id in its one spelling; throws InvalidInputError at `path` when it is malformed, which is
 * never "none".
 */
export function parseId(text: string, path: (string | number)[] = ["id"]): string {
  if (!isUuid(text)) throw InvalidInputError.at(path, "is no id: ids are UUIDs");
  return text.toLowerCase();
}

/** What `read` returns for each id once, a thousand at a time. */
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
