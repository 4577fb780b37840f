import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

describe("the tables that change most", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  it(
    "leave room on their pages for new versions of a row, and are vacuumed before dead " +
      "rows pile up",
    async () => {
      const rows = await store.database.sql<{ name: string; settings: string[] }[]>`
      select relname as name, reloptions as settings from pg_class
        where relnamespace = 'public'::regnamespace
          and relname in ('user_streams', 'queued_jobs', 'queued_job_events')`;
      assert.deepEqual(
        Object.fromEntries(rows.map(({ name, settings }) => [name, settings.toSorted()])),
        {
          user_streams: ["autovacuum_vacuum_scale_factor=0.01", "fillfactor=50"],
          queued_jobs: ["autovacuum_vacuum_scale_factor=0.02", "fillfactor=80"],
          queued_job_events: [
            "autovacuum_vacuum_insert_scale_factor=0.05",
            "autovacuum_vacuum_scale_factor=0.02",
          ],
        },
      );
    },
  );
});
