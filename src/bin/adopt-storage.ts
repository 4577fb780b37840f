// Makes the storage this database's: after a restore, whose history is a new one, or where another
// deployment had it. Until then the sweep leaves all files alone.
import { readCommandLine } from "../runtime/command-line.js";
import { ConfigError, parseConfig, readEnvironment } from "../runtime/config.js";
import { createDatabase } from "../db/database.js";
import { runCommand } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { createStorageOwner, createFileSweep } from "../services/maintenance/sweep-files.js";
import { createStorage } from "../app/create-core.js";
import { readServiceFile } from "../app/local-service/service-file.js";

const sweep = readCommandLine(
  {
    name: "node dist/src/bin/adopt-storage.js",
    about: "Make the storage this database's, so that workers remove the files that no row names.",
    options: { sweep: { type: "boolean", about: "Remove the files that no row names at once." } },
    examples: ["", "--sweep"],
  },
  (values) => values.sweep === true,
);

await runCommand(async (stack) => {
  const log = createLogger({ name: "adopt-storage", level: "warn", pretty: false });
  const config = parseConfig(readEnvironment(), ["storage"]);
  const url = config.databaseUrl ?? (await readServiceFile(config.dataFolder))?.databaseUrl;
  if (!url)
    throw new ConfigError(["No service runs from this folder, and DATABASE_URL is not set"]);
  const database = createDatabase({
    url,
    connections: 2,
    applicationName: "photo-service adopt-storage",
  });
  stack.add("database", () => database.close());
  const storage = await createStorage(config, log);
  const before = await createStorageOwner({ database, storage }).adopt();
  const former = before === null ? "" : `; before it was the database's with the history ${before}`;
  process.stdout.write(`${config.storageUrl} is this database's${former}.\n`);
  if (!sweep) return;
  const removed = await createFileSweep({ database, storage, maxShare: 1, log }).run();
  process.stdout.write(`${removed} files that no row names were removed.\n`);
});
