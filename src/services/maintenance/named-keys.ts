import type { Sql } from "postgres";

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * Which of these storage keys a row names: found by the ids in the keys, which are indexed as the
 * keys are not.
 */
export async function findNamedKeys(sql: Sql, keys: readonly string[]): Promise<Set<string>> {
  const ids = [...new Set(keys.flatMap((key) => key.match(ID) ?? []))];
  const rows = await sql<{ key: string }[]>`
    select storage_key as key from photos where id = any(${ids})
    union all select preview_key from photos where id = any(${ids}) and preview_key is not null
    union all select storage_key from queued_job_outputs where queued_job_id = any(${ids})`;
  return new Set(rows.map((row) => row.key));
}
