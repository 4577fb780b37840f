import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { createDatabase, type Database } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { alterRole } from "../../../src/db/session-settings.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";

const TEMPLATE = "template_photos";

export interface TestDatabase {
  url: string;
  database: Database;
  /** Closes the connections, and drops the database and its role. */
  close(): Promise<void>;
}

/** Creates a migrated database with the catalogue, in milliseconds, by copying a template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env["TEST_DATABASE_URL"];
  if (!server) throw new Error("Run the tests with npm test, which starts PostgreSQL for them");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await withServer(server, async (sql) => {
    await sql.unsafe(`create database ${name} template ${TEMPLATE} strategy file_copy`);
    // PostgreSQL does not copy the settings of roles.
    await sql.unsafe(alterRole(name));
  });
  const url = withDatabase(server, name);
  const database = createDatabase({ url, connections: 10, applicationName: "test" });
  return {
    url,
    database,
    async close() {
      await database.close();
      await dropDatabase(server, name);
    },
  };
}

/** Creates an empty database without tables. */
export async function createEmptyDatabase(): Promise<{ url: string; close(): Promise<void> }> {
  const server = process.env["TEST_DATABASE_URL"] ?? "";
  const name = `empty_${randomBytes(6).toString("hex")}`;
  await withServer(server, (sql) => sql.unsafe(`create database ${name}`));
  return { url: withDatabase(server, name), close: () => dropDatabase(server, name) };
}

/** Call it once, before the tests. */
export async function createTemplateDatabase(server: string): Promise<void> {
  await withServer(server, (sql) => sql.unsafe(`create database ${TEMPLATE}`));
  const url = withDatabase(server, TEMPLATE);
  await migrate(url);
  const database = createDatabase({ url, connections: 1, applicationName: "test" });
  await syncCatalogue(database, catalogue.values());
  await database.close();
}

/** Also drops the read-only role that a migration may have created for this database. */
async function dropDatabase(server: string, name: string): Promise<void> {
  await withServer(server, async (sql) => {
    await sql.unsafe(`drop database ${name} with (force)`);
    await sql.unsafe(`drop role if exists ${name}_readonly`);
  });
}

async function withServer<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function withDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}
