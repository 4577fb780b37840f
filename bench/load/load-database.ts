import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { createDatabase, type Database } from "../../src/db/database.js";
import { migrate } from "../../src/db/migrate.js";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { createLogger } from "../../src/runtime/logger.js";

export interface LoadDatabase {
  url: string;
  /** Removed at the end. */
  folder: string;
  /** As the service uses it. */
  database: Database;
  /** The driver alone, without the time limit of the service, which large tables exceed. */
  driver: Sql;
}

/** Runs `run` on a migrated PostgreSQL of its own, with this many connections of the service. */
export async function withLoadDatabase(
  connections: number,
  run: (stores: LoadDatabase) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "photo-service-load-"));
  // PostgreSQL may run as another user than this process.
  await chmod(folder, 0o755);
  const log = createLogger({ name: "load", level: "error", pretty: false });
  const server = await startPostgres({ dataDir: join(folder, "postgres"), log });
  try {
    const { url } = server;
    await migrate(url);
    const database = createDatabase({ url, connections, applicationName: "load" });
    const driver = postgres(url, { max: 1, onnotice: () => {} });
    try {
      await run({ url, folder, database, driver });
    } finally {
      await Promise.all([database.close(), driver.end()]);
    }
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
