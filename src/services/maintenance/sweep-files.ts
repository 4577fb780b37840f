import { available, type Database } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { findNamedKeys } from "./named-keys.js";
import { createStorageOwner } from "./storage-owner.js";

export interface FileSweep {
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
        "STORAGE_URL; if this database is to have it, run npm run adopt-storage",
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
      "DATABASE_URL and STORAGE_URL; if they are left over indeed, run npm run " +
      "adopt-storage -- --sweep",
  );
}
