import { ConfigError } from "../runtime/config.js";
import { createDatabase, connectionFault, sqlState } from "../db/database.js";
import { migrate } from "../db/migrate.js";
import { syncCatalogue } from "../services/jobs/jobs.js";
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

/** By SQLSTATE: what the server says to whoever comes to it, and what to do. */
const REFUSALS: Record<string, (place: string, database: string) => string> = {
  "28P01": (place) =>
    `${place} refuses the user or the password of DATABASE_URL: mend it, or set that ` +
    "password there",
  "28000": (place) =>
    `${place} refuses the user of DATABASE_URL: mend it, or let that user in (pg_hba.conf)`,
  "3D000": (place, database) =>
    `${place} has no database "${database}": create it (createdb '${database}'), or mend ` +
    "DATABASE_URL",
  "42501": (place, database) =>
    `the user of DATABASE_URL may not change the database "${database}" of ${place}: ` +
    "make it the owner (alter database … owner to …)",
  "25006": (place) =>
    `${place} takes no writes, as a replica does: DATABASE_URL must name the primary`,
  "53300": (place) =>
    `${place} has no connection left: end what holds them, or raise max_connections`,
};

/**
 * Why a database cannot be worked in, and the cure, in a sentence without the password; null when
 * that is not what is wrong.
 */
function explainConnection(error: unknown, url: string): string | null {
  const { hostname, port, pathname } = new URL(url);
  const place = `The PostgreSQL at ${hostname}:${port || 5432}`;
  const refusal = REFUSALS[sqlState(error) ?? ""]?.(place, decodeURIComponent(pathname.slice(1)));
  if (refusal) return refusal.replace(/^./, (letter) => letter.toUpperCase());
  const fault = connectionFault(error);
  return fault === null
    ? null
    : `${place} cannot be reached (${fault}): start it, or mend DATABASE_URL`;
}
