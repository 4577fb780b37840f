// Assigns the storage to this database: after a restore, whose history is new, or when another
// deployment used it. Until then the sweep deletes no files.
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
    name: "node dist/bin/adopt-storage.js",
    about: "Assign the storage to this database, so that workers delete files without a row in it.",
    options: { sweep: { type: "boolean", about: "Delete the files without a row at once." } },
    examples: ["", "--sweep"],
  },
  (values) => values.sweep === true,
);

await runCommand(async (stack) => {
  const log = createLogger({ name: "adopt-storage", level: "warn", pretty: false });
  const config = parseConfig(readEnvironment(), ["storage"]);
  const url = config.databaseUrl ?? (await readServiceFile(config.dataFolder))?.databaseUrl;
  if (!url)
    throw new ConfigError([
      "No service runs from this folder, and DATABASE_URL is not set: run npm start, or set it",
    ]);
  const database = createDatabase({
    url,
    connections: 2,
    applicationName: "photo-service adopt-storage",
  });
  stack.add("database", () => database.close());
  const storage = await createStorage(config, log);
  const before = await createStorageOwner({ database, storage }).adopt();
  const former =
    before === null ? "" : `; before, it belonged to the database with the history ${before}`;
  process.stdout.write(`${config.storageUrl} belongs to this database${former}.\n`);
  if (!sweep) return;
  const removed = await createFileSweep({ database, storage, maxShare: 1, log }).run();
  process.stdout.write(`${removed} files without a row were deleted.\n`);
});
