// A storage records the database that owns it, so that the sweep of another database does not
// delete its files. Examples: a copy of production with the STORAGE_URL of production, or two
// deployments in one bucket.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { Storage } from "../../photos/storage.js";
import type { Logger } from "../../runtime/logger.js";
import { renditionKeysOf } from "../photos/photos.js";

/** Lies outside of the folders that the service sweeps. */
const OWNER_KEY = "owner";

export interface StorageOwner {
  /**
   * Returns true if this database owns the storage. A storage without an owner becomes its
   * property.
   */
  isOurs(): Promise<boolean>;
  /** Makes this database the owner of the storage; returns the previous owner. */
  adopt(): Promise<string | null>;
}

type OwnerStorage = Pick<Storage, "read" | "put" | "scratchFolder">;

export function createStorageOwner({
  database: { sql },
  storage,
}: {
  database: Database;
  storage: OwnerStorage;
}): StorageOwner {
  /** A restored database has another history, so it counts as another owner. */
  async function readHistory(): Promise<string> {
    const [row] = await available(
      () => sql<{ id: string }[]>`select id::text as id from histories`,
    );
    if (!row) throw new Error("The table histories is empty: run npm run migrate");
    return row.id;
  }

  async function readOwner(): Promise<string | null> {
    const bytes = await storage.read(OWNER_KEY);
    return bytes && bytes.toString().trim();
  }

  async function write(owner: string): Promise<void> {
    const path = join(storage.scratchFolder, `owner-${randomUUID()}`);
    await writeFile(path, `${owner}\n`, { mode: 0o600 });
    await storage.put(OWNER_KEY, path);
  }

  return {
    async isOurs() {
      const history = await readHistory();
      const owner = await readOwner();
      if (owner !== null) return owner === history;
      await write(history);
      // Another database may have written its name at the same moment: the last one is the owner.
      return (await readOwner()) === history;
    },
    async adopt() {
      const [history, owner] = [await readHistory(), await readOwner()];
      if (owner !== history) await write(history);
      return owner;
    },
  };
}

interface FileSweep {
  /**
   * Removes files to which no row refers, for example after a crash; returns their number. Files of
   * the last hour are kept, because their row may follow. Throws and removes nothing when another
   * database owns the storage. The same happens when so many files have no row that the
   * configuration is probably wrong.
   */
  run(signal?: AbortSignal): Promise<number>;
}

export interface FileSweepDeps {
  database: Database;
  storage: Storage;
  graceMs?: number;
  /** Maximum share of the listed files that one run may remove; an operator may set it to 1. */
  maxShare?: number;
  log: Logger;
}

const PAGE = 500;
/** Keys of the service; all other files in a bucket are left alone. */
const OURS = /^(photos|previews|outputs|renditions)\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\//;
const HOUR_MS = 3_600_000;
const MAX_SHARE = 0.1;
/** Number of files that one run may always remove, whatever their share is. */
const MIN_REFUSED = 100;
/** Maximum files per run, because their keys are held in memory. */
const MAX_REMOVED = 100_000;
const MAX_LOGGED = 10;

/** Files without a row; only the first keys are held. */
interface LeftOver {
  /** Number of listed files, with or without a row. */
  listed: number;
  count: number;
  keys: string[];
}

export function createFileSweep({ database, storage, log, ...options }: FileSweepDeps): FileSweep {
  const { graceMs = HOUR_MS, maxShare = MAX_SHARE } = options;
  const { sql } = database;
  const owner = createStorageOwner({ database, storage });

  async function withoutRow(keys: string[]): Promise<string[]> {
    const named = await available(() => findNamedKeys(sql, keys));
    return keys.filter((key) => !named.has(key));
  }

  async function assertOurs(): Promise<void> {
    if (await owner.isOurs()) return;
    throw new Error(
      "The storage belongs to another database, so no file was removed: check STORAGE_URL; " +
        "if this database should own the storage, run node dist/bin/adopt-storage.js",
    );
  }

  /** Reads the whole listing before the first removal. */
  async function findLeftOver(signal?: AbortSignal): Promise<LeftOver> {
    const result: LeftOver = { listed: 0, count: 0, keys: [] };
    let page: string[] = [];
    async function look(): Promise<void> {
      signal?.throwIfAborted();
      const leftOver = page.length > 0 ? await withoutRow(page) : [];
      result.count += leftOver.length;
      result.keys.push(...leftOver.slice(0, MAX_REMOVED - result.keys.length));
      page = [];
    }
    for await (const { key, modifiedAt } of storage.list()) {
      if (!OURS.test(key)) continue;
      result.listed++;
      if (Date.now() - modifiedAt.getTime() >= graceMs) page.push(key);
      if (page.length === PAGE) await look();
    }
    await look();
    return result;
  }

  return {
    async run(signal) {
      const cleared = await storage.clearScratch(new Date(Date.now() - graceMs));
      await assertOurs();
      const leftOver = await findLeftOver(signal);
      refuseTooMany(leftOver, maxShare, log);
      let removed = cleared;
      for (let i = 0; i < leftOver.keys.length; i += PAGE) {
        signal?.throwIfAborted();
        // Checked again, because the listing may have taken hours.
        await assertOurs();
        const keys = await withoutRow(leftOver.keys.slice(i, i + PAGE));
        await storage.delete(keys);
        removed += keys.length;
      }
      if (removed > 0) log.info({ files: removed }, "files without a row were removed");
      return removed;
    },
  };
}

function refuseTooMany({ listed, count, keys }: LeftOver, maxShare: number, log: Logger): void {
  if (count <= Math.max(MIN_REFUSED, listed * maxShare)) return;
  log.error(
    { listed, leftOver: count, storageKeys: keys.slice(0, MAX_LOGGED) },
    "too many files have no row, so none was removed",
  );
  throw new Error(
    `${count} of ${listed} files have no row, and one run may not remove so many: check ` +
      "DATABASE_URL and STORAGE_URL; if these files are really left over, run " +
      "node dist/bin/adopt-storage.js --sweep",
  );
}

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * Returns the storage keys to which a row refers. Rows are found by the ids in the keys, because
 * ids are indexed and keys are not.
 */
export async function findNamedKeys(sql: Sql, keys: readonly string[]): Promise<Set<string>> {
  const ids = [...new Set(keys.flatMap((key) => key.match(ID) ?? []))];
  const rows = await sql<{ key: string }[]>`
    select storage_key as key from photos where id = any(${ids})
    union all select preview_key from photos where id = any(${ids}) and preview_key is not null
    union all select ${renditionKeysOf(sql)} from photos where id = any(${ids})
    union all select storage_key from queued_job_outputs where queued_job_id = any(${ids})`;
  return new Set(rows.map((row) => row.key));
}
