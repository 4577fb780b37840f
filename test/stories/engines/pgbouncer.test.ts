// Tests the whole service behind PgBouncer in transaction mode, with PgBouncer's defaults.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { createDatabase, available, type Database } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { long } from "../../support/runner/long.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { NO_PGBOUNCER, startPgBouncer, type PgBouncer } from "../../support/stores/pgbouncer.js";
import { createEmptyDatabase } from "../../support/stores/test-database.js";
import { playStory } from "./play-story.js";

describe("behind PgBouncer in transaction mode", { skip: long.skip || NO_PGBOUNCER }, () => {
  const folder = temporaryFolder().path;
  let empty: { url: string; close(): Promise<void> };
  let bouncer: PgBouncer;
  let url: string;
  let database: Database;
  let service: TestService;
  before(async () => {
    // PgBouncer may run as another user than this process.
    chmodSync(folder, 0o711);
    empty = await createEmptyDatabase();
    // Few servers, so that every client meets the servers of the others.
    bouncer = await startPgBouncer(empty.url, { folder, settings: ["default_pool_size = 6"] });
    url = bouncer.urlOf(empty.url);
    await Promise.all(Array.from({ length: 2 }, () => migrate(url)));
    database = createDatabase({ url, connections: 10, applicationName: "test" });
    await syncCatalogue(database, catalogue.values());
    const store = { url, database, close: () => database.close() };
    service = await startTestService({ apis: 2, store, operated: true });
  });
  after(async () => {
    await service?.close();
    await bouncer?.close();
    await empty?.close();
  });

  it("jobs are submitted, run, retried, cancelled and reported as without it", () =>
    playStory(service));

  it("every session has its limits, and none keeps a lock or a setting of the migration", async () => {
    const { sql } = database;
    const sessions = await Promise.all(
      Array.from({ length: 10 }, () =>
        sql.begin(async (tx) => {
          await tx`select pg_sleep(0.05)`;
          return tx`select current_setting('client_connection_check_interval') as check,
            current_setting('lock_timeout') as lock, current_setting('enable_seqscan') as seqscan,
            current_setting('idle_in_transaction_session_timeout') as idle,
            current_setting('TimeZone') as zone`;
        }),
      ),
    );
    for (const [session] of sessions)
      assert.deepEqual(session, {
        check: "1s",
        lock: "4s",
        seqscan: "off",
        idle: "10s",
        zone: "UTC",
      });
    const locks = await sql`select from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`;
    assert.equal(locks.length, 0);
  });

  it("the SQL page of operators answers, with its own limits", async () => {
    const sql = "select count(*), current_setting('lock_timeout') as lock from queued_jobs";
    const { text } = await service.operator.post("/admin/db", { sql, format: "csv" });
    assert.match(text, /^count,lock\r?\n\d+,1s\r?\n$/);
  });

  it("a PgBouncer that accepts no more clients is SERVICE_UNAVAILABLE at once", async () => {
    const full = await startPgBouncer(empty.url, { folder, settings: ["max_client_conn = 1"] });
    const [first, second] = [1, 2].map(() =>
      createDatabase({ url: full.urlOf(empty.url), connections: 1, applicationName: "test" }),
    ) as [Database, Database];
    try {
      await first.ping();
      const askedAt = Date.now();
      assert.deepEqual(await refusalOf(available(() => second.sql`select 1`)), {
        code: "SERVICE_UNAVAILABLE",
        message: "The database is unavailable; try again in a moment.",
      });
      assert.ok(Date.now() - askedAt < 1000, `${Date.now() - askedAt} ms`);
      await first.ping();
    } finally {
      await Promise.all([first.close(), second.close()]);
      await full.close();
    }
  });
});
