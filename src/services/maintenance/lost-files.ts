import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { inBatches } from "../../runtime/concurrency.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { FIRST_ID } from "../reads/ids.js";
import type { Slice } from "./duties.js";
import { findNamedKeys } from "./sweep-files.js";

export interface LostFiles {
  /** Runs one slice: logs files that rows refer to but the storage lacks. It deletes nothing. */
  run(slice: Slice): Promise<{ next: string | null; lost: number }>;
}

/**
 * Number of slices per pass, from which the rows per slice follow; a slice has at least one page.
 */
const SLICES_PER_PASS = 2000;
const PAGE = 500;
const CONCURRENCY = 8;
const SLICE_MS = 60_000;
const MAX_LOGGED = 10;

const KINDS = { photos: photoKeys, outputs: outputKeys } as const;
type Kind = keyof typeof KINDS;

/**
 * Only logs, because an operator may restore a file from a backup or correct a wrong storage URL.
 */
export function createLostFiles({
  database: { sql },
  storage,
  log,
}: {
  database: Database;
  storage: Pick<Storage, "has">;
  log: Logger;
}): LostFiles {
  /** Returns the missing keys of a page. A key that cannot be checked does not stop the others. */
  async function findMissing(page: Row[]): Promise<string[]> {
    const keys = page.flatMap((row) => row.keys);
    const answers = await inBatches(keys, CONCURRENCY, (key) =>
      storage.has(key).catch((error: unknown) => ({ key, error })),
    );
    const faults = answers.filter((answer) => typeof answer === "object");
    if (faults.length > 0 && faults.length === keys.length) throw faults[0]?.error;
    for (const { key, error } of faults)
      log.warn({ err: error, storageKey: key }, "a file was not checked; the next pass retries");
    const missing = keys.filter((_, i) => answers[i] === false);
    if (missing.length === 0) return [];
    // A file that was deleted after the page was read is not lost.
    const named = await available(() => findNamedKeys(sql, missing));
    return missing.filter((key) => named.has(key));
  }

  return {
    async run({ from, signal }) {
      let [kind, after] = parsePosition(from);
      const lost: string[] = [];
      let rows = 0;
      const most = await available(() => rowsPerSlice(sql));
      for (
        const end = performance.now() + SLICE_MS;
        rows < most && performance.now() < end && !signal.aborted;
      ) {
        const page = await available(() => KINDS[kind](sql, after));
        lost.push(...(await findMissing(page)));
        rows += page.length;
        after = page.at(-1)?.id ?? after;
        if (page.length === PAGE) continue;
        if (kind === "outputs") return { next: null, lost: report(lost) };
        [kind, after] = ["outputs", FIRST_ID];
      }
      return { next: `${kind} ${after}`, lost: report(lost) };
    },
  };

  function report(lost: string[]): number {
    if (lost.length > 0) {
      log.error(
        { files: lost.length, storageKeys: lost.slice(0, MAX_LOGGED) },
        "files are missing in the storage: restore them, or delete their photos and jobs",
      );
    }
    return lost.length;
  }
}

function parsePosition(from: string | null): [Kind, string] {
  const [kind = "", after = FIRST_ID] = (from ?? "").split(" ");
  return [kind === "outputs" ? "outputs" : "photos", after];
}

/** Uses PostgreSQL's own estimate of the table sizes. */
async function rowsPerSlice(sql: Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select sum(greatest(reltuples, 0))::float8 as rows from pg_class
      where oid in ('photos'::regclass, 'queued_job_outputs'::regclass)`;
  return Math.max(PAGE, Math.ceil((row?.rows ?? 0) / SLICES_PER_PASS));
}

/** The id of a row and its storage keys. */
interface Row {
  id: string;
  keys: string[];
}

function photoKeys(sql: Sql, after: string): Promise<Row[]> {
  return sql<Row[]>`
    select id, array_remove(array[storage_key, preview_key], null) as keys from photos
    where id > ${after} order by id limit ${PAGE}`;
}

function outputKeys(sql: Sql, after: string): Promise<Row[]> {
  return sql<Row[]>`
    select queued_job_id as id, array_agg(storage_key) as keys from queued_job_outputs
    where queued_job_id > ${after} group by 1 order by 1 limit ${PAGE}`;
}
