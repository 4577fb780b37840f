import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { createDatabase, type Database } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { earlierMigrations } from "../../support/stores/earlier-migrations.js";
import { eventually } from "../../support/runner/eventually.js";
import { createEmptyDatabase } from "../../support/stores/test-database.js";

describe("an index that a migration adds", () => {
  // All migrations before the one that creates `users_email`.
  const migrationsFolder = earlierMigrations(temporaryFolder().path, "0003");
  let empty: Awaited<ReturnType<typeof createEmptyDatabase>>;
  let database: Database;
  beforeEach(async () => {
    empty = await createEmptyDatabase();
    database = createDatabase({ url: empty.url, connections: 2, applicationName: "test" });
    await applyMigrations(database.orm, { migrationsFolder });
  });
  afterEach(async () => {
    await database.close();
    await empty.close();
  });

  const insert = (sql: postgres.Sql, subject: string) =>
    sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at) values (gen_random_uuid(), 'i', ${subject}, 'e', true, 'n', 0, now())`;
  const isValid = async () =>
    (
      await database.sql<
        { valid: boolean }[]
      >`select indisvalid as valid from pg_index where indexrelid = to_regclass('users_email')`
    )[0]?.valid;

  it("is built during writes, one unfinished, while a second migration waits", async () => {
    const other = postgres(empty.url, { max: 1 });
    await other`begin`;
    await insert(other, "unfinished");
    const both = Promise.all([migrate(empty.url), migrate(empty.url)]);
    await eventually(
      "it waits for the unfinished transaction",
      async () =>
        (
          await database.sql`select from pg_stat_activity where datname = current_database()
              and query like 'CREATE INDEX CONCURRENTLY%' and wait_event_type = 'Lock'`
        ).length === 1,
    );
    await insert(database.sql, "concurrent");
    await other`commit`;
    await both;
    await other.end();
    assert.equal(await isValid(), true);
    assert.equal((await database.sql`select from users`).length, 2);
  });

  it("is rebuilt after an interrupted build", async () => {
    await database.sql`create index users_email on users (lower(email))`;
    await database.sql`update pg_index set indisvalid = false
      where indexrelid = 'users_email'::regclass`;
    assert.equal(await isValid(), false);
    await migrate(empty.url);
    assert.equal(await isValid(), true);
  });
});

describe("an index of every migration", () => {
  it("is created only if it does not exist, so that the migration finds it", () => {
    const FIRST_MIGRATIONS = /^000[0-2]_/;
    const files = readdirSync("drizzle").filter(
      (file) => file.endsWith(".sql") && !FIRST_MIGRATIONS.test(file),
    );
    const locking = files.filter((file) =>
      /create (unique )?index(?! if not exists)/i.test(readFileSync(join("drizzle", file), "utf8")),
    );
    assert.deepEqual(locking, [], "say CREATE INDEX IF NOT EXISTS: see src/db/migrate.ts");
    assert.ok(files.length > 0);
  });
});
