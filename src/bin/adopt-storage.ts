// Makes the storage this database's: after a restore, whose history is a new one, or where another
// deployment had it. Until then the sweep leaves all files alone.
import { parseArgs } from "node:util";
import { ConfigError, parseConfig, readEnvironment } from "../config.js";
import { createDatabase } from "../db/database.js";
import { runCommand } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createStorageOwner } from "../services/maintenance/storage-owner.js";
import { createFileSweep } from "../services/maintenance/sweep-files.js";
import { createStorage } from "./create-storage.js";
import { readServiceFile } from "./service-file.js";

const USAGE = "usage: npm run adopt-storage [-- --sweep]   with --sweep, whatever no row names is removed at once";

await runCommand(async (stack) => {
  const { sweep } = readArguments();
  const log = createLogger({ name: "adopt-storage", level: "warn", pretty: false });
  const config = parseConfig(readEnvironment(), ["storage"]);
  const url = config.databaseUrl ?? (await readServiceFile(config.dataFolder))?.databaseUrl;
  if (!url) throw new ConfigError(["No service runs from this folder, and DATABASE_URL is not set"]);
  const database = createDatabase({ url, connections: 2, applicationName: "photo-service adopt-storage" });
  stack.add("database", () => database.close());
  const storage = await createStorage(config, log);
  const before = await createStorageOwner({ database, storage }).adopt();
  process.stdout.write(`${config.storageUrl} is this database's${before === null ? "" : `; before it was the database's with the history ${before}`}.\n`);
  if (!sweep) return;
  const removed = await createFileSweep({ database, storage, maxShare: 1, log }).run();
  process.stdout.write(`${removed} files that no row names were removed.\n`);
});

function readArguments(): { sweep: boolean } {
  try {
    const { sweep } = parseArgs({ options: { sweep: { type: "boolean" } } }).values;
    return { sweep: sweep === true };
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error), USAGE]);
  }
}
