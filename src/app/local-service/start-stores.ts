import { once } from "node:events";
import type { EmbeddedServer } from "../../embedded/open-server-folder.js";
import type { Logger } from "../../runtime/logger.js";

/** Where the databases are. */
export interface StoreUrls {
  databaseUrl: string;
  redisUrl: string;
}

export interface Stores {
  /** Resolves when both are there and the database is up to date. */
  ready: Promise<StoreUrls>;
  /** Stops those that were started here. */
  close(): Promise<void>;
}

/**
 * Begins to bring up those databases that have no URL yet, in `folder`. What that takes is loaded
 * here, and not before the API and the worker load theirs.
 */
export function startStores(
  given: { [url in keyof StoreUrls]: string | null },
  { folder, path, log }: { folder: string; path: string; log: Logger },
): Stores {
  const postgres =
    given.databaseUrl === null
      ? import("../../embedded/postgres/start-postgres.js").then(({ startPostgres }) =>
          startPostgres({ dataDir: `${folder}/postgres`, log }),
        )
      : null;
  const redis =
    given.redisUrl === null
      ? import("../../embedded/redis/start-redis.js").then(({ startRedis }) =>
          startRedis({ dataDir: `${folder}/redis`, log, path }),
        )
      : null;

  async function migrated(): Promise<string> {
    const [{ migrateDatabase }, url] = await Promise.all([
      import("../migrate-database.js"),
      urlOf(postgres, given.databaseUrl),
    ]);
    await migrateDatabase(url);
    return url;
  }

  const ready = Promise.all([migrated(), urlOf(redis, given.redisUrl)]).then(
    ([databaseUrl, redisUrl]) => ({ databaseUrl, redisUrl }),
  );
  // It may fail before anybody waits for it.
  ready.catch(() => {});
  return {
    ready,
    async close() {
      const ends = await Promise.allSettled([stop(redis), stop(postgres)]);
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    },
  };
}

async function urlOf(
  started: Promise<EmbeddedServer> | null,
  given: string | null,
): Promise<string> {
  return (await started)?.url ?? given ?? "";
}

async function stop(started: Promise<EmbeddedServer> | null): Promise<void> {
  // One that could not be started has told so already.
  await (await started?.catch(() => null))?.close();
}

/** The option that makes a process wait; `npm start` gives it, and then sends `StoreUrls`. */
export const STORES_FOLLOW = "stores-follow";
const isGiven = process.argv.includes(`--${STORES_FOLLOW}`);

/**
 * `npm start` brings up the databases while the API and the worker load what they are made of, and
 * then tells where they are.
 */
export async function waitForStores(): Promise<void> {
  if (!isGiven) return;
  const orphaned = () => process.exit(1);
  process.once("disconnect", orphaned);
  const [{ databaseUrl, redisUrl }] = (await once(process, "message")) as [StoreUrls];
  process.off("disconnect", orphaned);
  Object.assign(process.env, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
}

/**
 * Reports to `npm start` that this process listens; a health that answers could be another
 * program's.
 */
export function announceListening(): void {
  if (isGiven && process.connected) process.send?.("listens", undefined, undefined, () => {});
}
