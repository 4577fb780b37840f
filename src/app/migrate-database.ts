import { ConfigError } from "../runtime/config.js";
import { parseDatabaseUrl } from "../runtime/store-urls.js";
import { createDatabase, connectionFault, sqlState } from "../db/database.js";
import { driverArguments } from "../db/driver-arguments.js";
import { migrate } from "../db/migrate.js";
import { syncCatalogue } from "../services/jobs/jobs.js";
import type { Catalogue } from "./load-catalogue.js";

/**
 * Migrates a database and updates its catalogue. When it cannot be reached, the error is one
 * sentence with the cure.
 */
export async function migrateDatabase(url: string, catalogue: Catalogue): Promise<void> {
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

/** Messages by SQLSTATE: what the server refuses, and the cure. */
const REFUSALS: Record<string, (place: string, database: string) => string> = {
  "28P01": (place) =>
    `${place} refuses the user or the password of DATABASE_URL: correct them, or set that ` +
    "password on the server",
  "28000": (place) =>
    `${place} refuses the user of DATABASE_URL: correct it, or allow that user in pg_hba.conf`,
  "3D000": (place, database) =>
    `${place} has no database "${database}": create it (createdb '${database}'), or correct ` +
    "DATABASE_URL",
  "42501": (place, database) =>
    `the user of DATABASE_URL may not change the database "${database}" of ${place}: ` +
    "make it the owner (alter database … owner to …)",
  "25006": (place) => `${place} is read-only, probably a replica: set DATABASE_URL to the primary`,
  "53300": (place) =>
    `${place} has no free connection: close other connections, or increase max_connections`,
};

/**
 * One sentence that says why a database is not usable and what to do, without the password. Null
 * for other errors.
 */
function explainConnection(error: unknown, url: string): string | null {
  const { url: oneHost, hosts } = parseDatabaseUrl(url);
  const addresses = hosts.map(({ host, port }) => `${host}:${port}`).join(" or ");
  const [, { host: folder }] = driverArguments(oneHost, {});
  const place = `The PostgreSQL at ${folder ?? addresses}`;
  const database = decodeURIComponent(new URL(oneHost).pathname.slice(1));
  const refusal = REFUSALS[sqlState(error) ?? ""]?.(place, database);
  if (refusal) return refusal.replace(/^./, (letter) => letter.toUpperCase());
  const fault = connectionFault(error);
  return fault === null
    ? null
    : `${place} cannot be reached (${fault}): start it, or correct DATABASE_URL`;
}
