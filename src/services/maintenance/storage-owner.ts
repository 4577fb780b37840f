// The storage names the database that it belongs to, so that no other one's sweep takes its files
// for left over: a copy of production with production's STORAGE_URL, or two deployments in one
// bucket.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { available, type Database } from "../../db/database.js";
import type { Storage } from "../../photos/storage.js";

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
