import { on, once } from "node:events";
import type { EmbeddedServer } from "../../embedded/open-server-folder.js";
import type { Config } from "../../runtime/config.js";
import type { Logger } from "../../runtime/logger.js";

export interface StoreUrls {
  databaseUrl: string;
  redisUrl: string;
}

export interface Stores {
  /** Resolves when both stores run and the database is up to date. */
  ready: Promise<StoreUrls>;
  /** Stops the stores that were started here. */
  close(): Promise<void>;
}

/**
 * Starts the stores without a URL, in `folder`. Their modules are loaded here, at the same time as
 * the API and the worker load theirs.
 */
export function startStores(
  config: { [url in keyof StoreUrls]: string | null } & Pick<Config, "tasks">,
  { folder, path, log }: { folder: string; path: string; log: Logger },
): Stores {
  const postgres =
    config.databaseUrl === null
      ? import("../../embedded/postgres/start-postgres.js").then(({ startPostgres }) =>
          startPostgres({ dataDir: `${folder}/postgres`, log }),
        )
      : null;
  const redis =
    config.redisUrl === null
      ? import("../../embedded/redis/start-redis.js").then(({ startRedis }) =>
          startRedis({ dataDir: `${folder}/redis`, log, path }),
        )
      : null;

  async function migrated(): Promise<string> {
    // The API and the worker load the same tasks, and log the broken ones.
    const silent = log.child({}, { level: "silent" });
    const [{ migrateDatabase }, catalogue, url] = await Promise.all([
      import("../migrate-database.js"),
      import("../load-catalogue.js").then((module) => module.loadCatalogue(config.tasks, silent)),
      urlOf(postgres, config.databaseUrl),
    ]);
    await migrateDatabase(url, catalogue);
    return url;
  }

  const ready = Promise.all([migrated(), urlOf(redis, config.redisUrl)]).then(
    ([databaseUrl, redisUrl]) => ({ databaseUrl, redisUrl }),
  );
  // It may fail before it is awaited, which must not end the process.
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
  configured: string | null,
): Promise<string> {
  return (await started)?.url ?? configured ?? "";
}

async function stop(started: Promise<EmbeddedServer> | null): Promise<void> {
  // `ready` has already reported a failed start.
  await (await started?.catch(() => null))?.close();
}

/** The option that makes a process wait: `npm start` passes it, and then sends `StoreUrls`. */
export const STORES_FOLLOW = "stores-follow";
/** False if `npm start` has started this process beside others. */
export const isAlone = !process.argv.includes(`--${STORES_FOLLOW}`);
/** Keeps the messages of `npm start` until they are read: `StoreUrls`, and that all listen. */
const messages = isAlone ? null : on(process, "message");

/**
 * Waits for the URLs of the stores. `npm start` starts the stores while the API and the worker load
 * their modules, and then sends the URLs.
 */
export async function waitForStores(): Promise<void> {
  if (!messages) return;
  const orphaned = () => process.exit(1);
  process.once("disconnect", orphaned);
  const { value } = await messages.next();
  const [{ databaseUrl, redisUrl }] = value as [StoreUrls];
  process.off("disconnect", orphaned);
  Object.assign(process.env, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
}

/**
 * Reports to `npm start` that this process listens. A health check alone is not enough, because
 * another program could answer it. Resolves when all processes listen, at once for a process alone:
 * what has time until then takes no processor from the others, which still load their modules.
 */
export async function announceListening(closing: AbortSignal): Promise<void> {
  if (!messages || !process.connected) return;
  process.send?.("listens", undefined, undefined, () => {});
  await Promise.race([messages.next(), once(closing, "abort")]);
  await messages.return?.();
  closing.throwIfAborted();
}
