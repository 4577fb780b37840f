import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";
import { catalogue } from "../tasks/catalogue.js";
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
  const { databaseUrl } = parseConfig(readEnvironment(), ["database"], { production: true });
  if (databaseUrl === null) return;
  await migrateDatabase(databaseUrl);
  process.stdout.write(
    `The database is up to date, and the catalogue has ${catalogue.size} Jobs.\n`,
  );
});
