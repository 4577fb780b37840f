import { parseConfig, readEnvironment } from "../config.js";
import { createDatabase } from "../db/database.js";
import { migrate } from "../db/migrate.js";
import { runCommand } from "../lifecycle.js";
import { syncCatalogue } from "../services/sync-catalogue.js";
import { catalogue } from "../tasks/catalogue.js";

await runCommand(async () => {
  const { databaseUrl } = parseConfig(readEnvironment(), ["database"], true);
  if (databaseUrl === null) return;
  await migrate(databaseUrl);
  const database = createDatabase({ url: databaseUrl, connections: 1, applicationName: "photo-service migrate" });
  try {
    await syncCatalogue(database, catalogue.values());
  } finally {
    await database.close();
  }
  process.stdout.write(`The database is up to date, and the catalogue has ${catalogue.size} Jobs.\n`);
});
