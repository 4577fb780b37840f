// The storage names the database that it belongs to, so that no other one's sweep takes its files
// for left over: a copy of production with production's STORAGE_URL, or two deployments in one
// bucket.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { Storage } from "../../photos/storage.js";
import type { Logger } from "../../runtime/logger.js";

/** Outside of what the service sweeps. */
const OWNER_KEY = "owner";

export interface StorageOwner {
  /** Whether the storage is this database's; one that has no owner yet becomes this database's. */
  isOurs(): Promise<boolean>;
  /** Makes the storage this database's, whoever had it; returns the owner before. */
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
  /** A restored database has another history, and so is another owner. */
  async function readHistory(): Promise<string> {
    const [row] = await available(
      () => sql<{ id: string }[]>`select id::text as id from histories`,
    );
    if (!row) throw new Error("The table histories is empty: run npm run migrate");
    return row.id;
  }

  async function readOwner(): Promise<string | null> {
    const bytes = await storage.read(OWNER_KEY);
    return bytes && (await text(bytes)).trim();
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
      // Another database may have done the same at this moment: the last one has it.
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
   * Removes bytes that no row names, left over by a crash before the row or half-way in; returns
   * how many. Those of the last hour may still get their row. Throws, and removes nothing, where
   * the storage is another database's or where so many are left over that this is more likely.
   */
  run(signal?: AbortSignal): Promise<number>;
}

export interface FileSweepDeps {
  database: Database;
  storage: Storage;
  graceMs?: number;
  /** Share of what is listed that one run may remove; 1 for a person who knows better. */
  maxShare?: number;
  log: Logger;
}

const PAGE = 500;
/** Everything else in a bucket is somebody else's. */
const OURS = /^(photos|previews|outputs)\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\//;
const HOUR_MS = 3_600_000;
const MAX_SHARE = 0.1;
/** So few may go whatever their share is. */
const MIN_REFUSED = 100;
/** Those beyond are left to the next run: their keys are held in memory. */
const MAX_REMOVED = 100_000;
const MAX_LOGGED = 10;

/** What has no row: the first of the keys are held. */
interface LeftOver {
  /** Files in the listing, with a row or without. */
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
      "The storage belongs to another database, so nothing in it is removed: check " +
        "STORAGE_URL; if this database is to have it, run node dist/src/bin/adopt-storage.js",
    );
  }

  /** The whole listing is read before anything is removed. */
  async function findLeftOver(signal?: AbortSignal): Promise<LeftOver> {
    const found: LeftOver = { listed: 0, count: 0, keys: [] };
    let page: string[] = [];
    async function look(): Promise<void> {
      signal?.throwIfAborted();
      const leftOver = page.length > 0 ? await withoutRow(page) : [];
      found.count += leftOver.length;
      found.keys.push(...leftOver.slice(0, MAX_REMOVED - found.keys.length));
      page = [];
    }
    for await (const { key, modifiedAt } of storage.list()) {
      if (!OURS.test(key)) continue;
      found.listed++;
      if (Date.now() - modifiedAt.getTime() >= graceMs) page.push(key);
      if (page.length === PAGE) await look();
    }
    await look();
    return found;
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
        // The listing may have taken hours.
        await assertOurs();
        const keys = await withoutRow(leftOver.keys.slice(i, i + PAGE));
        await storage.delete(keys);
        removed += keys.length;
      }
      if (removed > 0) log.info({ files: removed }, "files that no row names were removed");
      return removed;
    },
  };
}

function refuseTooMany({ listed, count, keys }: LeftOver, maxShare: number, log: Logger): void {
  if (count <= Math.max(MIN_REFUSED, listed * maxShare)) return;
  log.error(
    { listed, leftOver: count, storageKeys: keys.slice(0, MAX_LOGGED) },
    "too many files have no row, and none was removed",
  );
  throw new Error(
    `${count} of ${listed} files have no row, more than may be removed at once: check ` +
      "DATABASE_URL and STORAGE_URL; if they are left over indeed, run " +
      "node dist/src/bin/adopt-storage.js --sweep",
  );
}

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
