import { ConfigError } from "../runtime/config.js";
import { createDatabase } from "../db/database.js";
import { explainConnection } from "../db/explain-connection.js";
import { migrate } from "../db/migrate.js";
import { syncCatalogue } from "../services/jobs/sync-catalogue.js";
import { catalogue } from "../tasks/catalogue.js";

/**
 * Brings a database up to date, its catalogue too; says in a sentence what to do where it cannot be
 * reached.
 */
export async function migrateDatabase(url: string): Promise<void> {
  await migrate(url).catch((error: unknown) => {
    const sentence = explainConnection(error, url);
    throw sentence === null ? error : new ConfigError([sentence]);
  });
  const database = createDatabase({
    url,
    connections: 1,
    applicationName: "photo-service migrate",
  });
  await syncCatalogue(database, catalogue.values()).finally(() => database.close());
}
