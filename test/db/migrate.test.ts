import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { createDatabase, type Database } from "../../src/db/database.js";
import { isMigrated, migrate } from "../../src/db/migrate.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { earlierMigrations } from "../support/stores/earlier-migrations.js";
import { eventually } from "../support/runner/eventually.js";
import { createEmptyDatabase } from "../support/stores/test-database.js";

const run = promisify(execFile);

describe("migrating a database", () => {
  let empty: { url: string; close(): Promise<void> };
  let database: Database;
  before(async () => {
    empty = await createEmptyDatabase();
    database = createDatabase({ url: empty.url, connections: 2, applicationName: "test" });
  });
  after(async () => {
    await database.close();
    await empty.close();
  });
  const applied = () => database.sql`select hash from drizzle.__drizzle_migrations order by id`;

  it("has not happened in an empty database", async () =>
    assert.equal(await isMigrated(database), false));

  it("happens once when five processes start it at once on an empty database", async () => {
    await Promise.all(Array.from({ length: 5 }, () => migrate(empty.url)));
    assert.equal(await isMigrated(database), true);
    const files = (await readdir("drizzle")).filter((name) => name.endsWith(".sql"));
    assert.equal((await applied()).length, files.length);
    assert.equal((await database.sql`select from histories`).length, 1);
  });

  it("changes nothing the second time, and leaves no lock and no connection", async () => {
    const [history] = await database.sql`select id from histories`;
    const previous = await applied();
    await migrate(empty.url);
    assert.deepEqual([...(await applied())], [...previous]);
    assert.deepEqual((await database.sql`select id from histories`)[0], history);
    assert.equal(
      (
        await database.sql`select from pg_locks where locktype = 'advisory'
          and database = (select oid from pg_database where datname = current_database())`
      ).length,
      0,
    );
    assert.equal(
      (
        await database.sql`select from pg_stat_activity where datname = current_database()
          and application_name like '%migrate%'`
      ).length,
      0,
    );
  });

  it("waits for a migration that is already running", async () => {
    const other = postgres(empty.url, { max: 1 });
    await other`select pg_advisory_lock(5067401)`;
    let done = false;
    const waiting = migrate(empty.url).then(() => (done = true));
    await eventually(
      "it has asked for the lock",
      async () =>
        (
          await database.sql`select from pg_stat_activity where datname = current_database()
            and application_name like '%migrate%' and query like '%pg_try_advisory_xact_lock%'`
        ).length === 1,
    );
    assert.equal(done, false);
    await other.end();
    await waiting;
  });

  it("lets waiting statements pass while a backup reads a table, and ends after it", async () => {
    const old = await createEmptyDatabase();
    const readers = createDatabase({ url: old.url, connections: 2, applicationName: "test" });
    await applyMigrations(readers.orm, {
      migrationsFolder: earlierMigrations(temporaryFolder().path, "0004"),
    });
    const backup = postgres(old.url, { max: 1 });
    await backup`begin`;
    await backup`lock table queued_jobs in access share mode`;
    const migrating = migrate(old.url, { lockTimeoutMs: 200 });
    let [tries, isWaiting] = [0, false];
    await eventually(
      "it has tried twice",
      async () => {
        const waits =
          (
            await readers.sql`select from pg_locks where relation = 'queued_jobs'::regclass
                and not granted and mode = 'AccessExclusiveLock'`
          ).length > 0;
        if (waits && !isWaiting) tries++;
        isWaiting = waits;
        // This waits behind the migration, and fails after its own timeout.
        await readers.sql`select from queued_jobs limit 1`;
        return tries === 2;
      },
      100_000,
    );
    assert.equal(await isMigrated(readers), false);
    await backup`commit`;
    await migrating;
    assert.equal(await isMigrated(readers), true);
    await Promise.all([backup.end(), readers.close()]);
    await old.close();
  });

  it("is incomplete without its newest migration, and complete with a newer one", async () => {
    const [newest] = await database.sql`select id, created_at from drizzle.__drizzle_migrations
          order by created_at desc limit 1`;
    await database.sql`update drizzle.__drizzle_migrations set created_at = created_at - 1
        where id = ${newest?.["id"]}`;
    assert.equal(await isMigrated(database), false);
    await database.sql`update drizzle.__drizzle_migrations set created_at = created_at + 1000000
        where id = ${newest?.["id"]}`;
    assert.equal(await isMigrated(database), true);
  });

  it("is incomplete without the settings of its sessions, and gives them again", async () => {
    const [row] = await database.sql<{ name: string }[]>`select current_database() as name`;
    await database.sql.unsafe(`alter role current_user in database ${row?.name} reset jit`);
    assert.equal(await isMigrated(database), false);
    await migrate(empty.url);
    assert.equal(await isMigrated(database), true);
  });

  it("leaves nothing to generate: the migrations match the schema", async () => {
    const folder = await mkdtemp(join(tmpdir(), "photo-migrations-"));
    try {
      const filesBefore = await readdir("drizzle", { recursive: true });
      for (const part of [
        "drizzle",
        "drizzle.config.ts",
        "package.json",
        "tsconfig.json",
        "src/db/schema",
        "src/domain/queued-job-status.ts",
        "src/domain/photo-event.ts",
      ])
        await cp(part, join(folder, part), { recursive: true, dereference: true });
      await symlink(resolve("node_modules"), join(folder, "node_modules"));
      const { stdout } = await run(
        process.execPath,
        [resolve("node_modules/drizzle-kit/bin.cjs"), "generate"],
        { cwd: folder },
      );
      assert.match(stdout, /No schema changes/);
      assert.deepEqual(
        (await readdir(join(folder, "drizzle"), { recursive: true })).toSorted(),
        filesBefore.toSorted(),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
