import type { Sql } from "postgres";
import { available } from "../db/database.js";
import { inBatches } from "../in-batches.js";
import type { Logger } from "../logger.js";
import type { Storage } from "../photos/storage.js";
import { FIRST_ID } from "./ids.js";
import { findNamedKeys } from "./named-keys.js";

const PAGE = 500;
const AT_ONCE = 8;
const TOLD = 10;

/**
 * How many files that rows name are not in the storage. They are told and nothing is deleted: a person may bring them back
 * from a backup, or find that it is the wrong storage.
 */
export async function countLostFiles({ sql, storage, log }: { sql: Sql; storage: Pick<Storage, "has">; log: Logger }): Promise<number> {
  const lost: string[] = [];
  let count = 0;
  for (const pageOf of [photoKeys, outputKeys]) {
    for (let page = await available(() => pageOf(sql, FIRST_ID)); page.length > 0; page = await available(() => pageOf(sql, page.at(-1)?.id ?? FIRST_ID))) {
      const keys = page.flatMap((row) => row.keys);
      const there = await inBatches(keys, AT_ONCE, (key) => storage.has(key));
      const missing = keys.filter((_, i) => !there[i]);
      // What was deleted since the page was read is not lost.
      const named = missing.length > 0 ? await available(() => findNamedKeys(sql, missing)) : new Set();
      const gone = missing.filter((key) => named.has(key));
      count += gone.length;
      lost.push(...gone.slice(0, TOLD - lost.length));
    }
  }
  if (count > 0) log.error({ files: count, storageKeys: lost }, "files that rows name are not in the storage: bring them back, or delete what names them");
  return count;
}

/** The next rows behind an id, with the keys that each names. */
function photoKeys(sql: Sql, after: string): Promise<{ id: string; keys: string[] }[]> {
  return sql<{ id: string; keys: string[] }[]>`select id, array_remove(array[storage_key, preview_key], null) as keys from photos where id > ${after} order by id limit ${PAGE}`;
}

function outputKeys(sql: Sql, after: string): Promise<{ id: string; keys: string[] }[]> {
  return sql<{ id: string; keys: string[] }[]>`
    select queued_job_id as id, array_agg(storage_key) as keys from queued_job_outputs where queued_job_id > ${after} group by 1 order by 1 limit ${PAGE}`;
}
