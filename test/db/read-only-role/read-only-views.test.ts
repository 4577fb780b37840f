import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { migrate } from "../../../src/db/migrate.js";
import { READ_ONLY_VIEWS } from "../../../src/db/read-only-role/read-only-views.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

/** Columns in no view: a new column must be either here or in a view. */
const HIDDEN = [
  "histories.id",
  "job_groups.fingerprint",
  "job_groups.idempotency_key",
  "photo_events.snapshot",
  "photos.phash",
  "photos.preview_key",
  "photos.sha256",
  "photos.storage_key",
  "queued_job_outputs.storage_key",
  "queued_jobs.fingerprint",
  "queued_jobs.idempotency_key",
  "queued_jobs.reuse_key",
];

const PARTITION = "^queued_job_events_";

describe("the views of the read-only role", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  it("show every column that is not secret", async () => {
    const columns = await store.database.sql<
      { name: string }[]
    >`select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = 'public' and table_name !~ ${PARTITION} order by 1`;
    const shown = Object.entries(READ_ONLY_VIEWS).flatMap(([table, view]) =>
      view.columns.map((column) => `${table}.${column}`),
    );
    assert.deepEqual(
      columns.map(({ name }) => name).filter((name) => !shown.includes(name)),
      HIDDEN,
    );
  });

  it("page by the primary key of their table", async () => {
    const keys = await store.database.sql<{ name: string; columns: string[] }[]>`
      select c.relname as name, array_agg(a.attname::text order by k.i) as columns from pg_index x
        join pg_class c on c.oid = x.indrelid, unnest(x.indkey) with ordinality as k(attnum, i),
        pg_attribute a
      where x.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum
        and c.relnamespace = 'public'::regnamespace group by 1`;
    const expected = Object.fromEntries(keys.map(({ name, columns }) => [name, columns]));
    for (const [table, { key }] of Object.entries(READ_ONLY_VIEWS))
      assert.deepEqual(key, expected[table]?.slice(0, key.length), table);
  });

  it("do not block a migration, and exist again after it", async () => {
    const { sql } = store.database;
    const views = () => sql`select from pg_views where schemaname = 'readonly'`;
    assert.equal((await views()).length, Object.keys(READ_ONLY_VIEWS).length);
    // The first migration runs again and fails, because its tables exist.
    await sql`alter table drizzle.__drizzle_migrations rename to kept`;
    await assert.rejects(migrate(store.url));
    assert.equal((await views()).length, 0);
    await sql`drop table drizzle.__drizzle_migrations`;
    await sql`alter table drizzle.kept rename to __drizzle_migrations`;
    await migrate(store.url);
    assert.equal((await views()).length, Object.keys(READ_ONLY_VIEWS).length);
  });
});
