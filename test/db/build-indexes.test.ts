import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { createDatabase } from "../../src/db/database.js";
import type { Database } from "../../src/db/database.js";
import { migrate } from "../../src/db/migrate.js";
import { eventually } from "../support/eventually.js";
import { createTestDatabase } from "../support/test-database.js";
import type { TestDatabase } from "../support/test-database.js";

describe("an index that a migration adds", () => {
  let store: TestDatabase;
  let single: Database;
  before(async () => {
    store = await createTestDatabase();
    single = createDatabase({ url: store.url, connections: 1, applicationName: "test" });
  });
  after(async () => {
    await single.close();
    await store.close();
  });

  /** As it was before the migration that makes `users_email`. */
  async function goBack(): Promise<void> {
    await store.database.sql`drop index if exists users_email`;
    await store.database.sql`delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`;
  }
  const insert = (sql: postgres.Sql, subject: string) => sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at, created_at) values (gen_random_uuid(), 'i', ${subject}, 'e', true, 'n', 0, now())`;
  const isValid = async () => (await store.database.sql<{ valid: boolean }[]>`select indisvalid as valid from pg_index where indexrelid = to_regclass('users_email')`)[0]?.valid;

  it("is made while others write, one of whom does not end, and while a second migration waits", async () => {
    await goBack();
    const other = postgres(store.url, { max: 1 });
    await other`begin`;
    await insert(other, "unfinished");
    const both = Promise.all([migrate(store.url), migrate(store.url)]);
    await eventually("it waits for the one who does not end", async () => (await store.database.sql`select from pg_stat_activity where datname = current_database() and query like 'CREATE INDEX CONCURRENTLY%' and wait_event_type = 'Lock'`).length === 1);
    await insert(single.sql, "meanwhile");
    await other`commit`;
    await both;
    await other.end();
    assert.equal(await isValid(), true);
    assert.equal((await store.database.sql`select from users`).length, 2);
  });

  it("is made anew where an attempt was broken off", async () => {
    await goBack();
    await store.database.sql`create index users_email on users (lower(email))`;
    await store.database.sql`update pg_index set indisvalid = false where indexrelid = 'users_email'::regclass`;
    assert.equal(await isValid(), false);
    await migrate(store.url);
    assert.equal(await isValid(), true);
  });

  it("is written so that it is found there, in every migration", () => {
    const FIRST_ONES = /^000[0-2]_/;
    const files = readdirSync("drizzle").filter((file) => file.endsWith(".sql") && !FIRST_ONES.test(file));
    const locking = files.filter((file) => /create (unique )?index(?! if not exists)/i.test(readFileSync(join("drizzle", file), "utf8")));
    assert.deepEqual(locking, [], "say CREATE INDEX IF NOT EXISTS: see src/db/build-indexes.ts");
    assert.ok(files.length > 0);
  });
});
