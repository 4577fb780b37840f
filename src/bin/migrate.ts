import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { loadCatalogue } from "../app/load-catalogue.js";
import { migrateDatabase } from "../app/migrate-database.js";

readCommandLine(
  {
    name: "npm run migrate",
    about:
      "Migrate the database of DATABASE_URL and update its catalogue of Jobs. Several " +
      "processes may run it at once.",
  },
  () => null,
);

await runCommand(async () => {
  const { databaseUrl, tasks } = parseConfig(readEnvironment(), ["database"], { production: true });
  if (databaseUrl === null) return;
  const log = createLogger({ name: "migrate", level: "warn", pretty: false });
  const catalogue = await loadCatalogue(tasks, log);
  await migrateDatabase(databaseUrl, catalogue);
  process.stdout.write(
    `The database is up to date, and the catalogue has ${catalogue.size} Jobs.\n`,
  );
});
// A task of TASKS may have left a timer or a connection open, and this command must end.
process.exit();
