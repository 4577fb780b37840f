// The released version runs while its table of events becomes the first partition.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import { createDatabase, type Database } from "../../../src/db/database.js";
import { readEventPartitions } from "../../../src/db/event-partitions.js";
import { isMigrated, migrate } from "../../../src/db/migrate.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { earlierMigrations } from "../../support/stores/earlier-migrations.js";
import { createEmptyDatabase } from "../../support/stores/test-database.js";

const EVENTS = 20_000;
const USER = "00000000-0000-0000-0000-000000000001";

describe("the migration to partitions of events", () => {
  const migrationsFolder = earlierMigrations(temporaryFolder().path, "0012");
  let empty: Awaited<ReturnType<typeof createEmptyDatabase>>;
  let database: Database;
  beforeEach(async () => {
    empty = await createEmptyDatabase();
    database = createDatabase({ url: empty.url, connections: 3, applicationName: "test" });
    await applyMigrations(database.orm, { migrationsFolder });
    await log(1, EVENTS);
  });
  afterEach(async () => {
    await database.close();
    await empty.close();
  });

  /** Inserts as the released version does, which does not know the hour. */
  const log = (from: number, to: number) => database.sql`
    insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
    select ${USER}, i, gen_random_uuid(), 'QUEUED', now(), '{}', 2
      from generate_series(${from}::int, ${to}::int) i`;
  /** Deletes as its purge does. */
  const purgeBelow = (seq: number) => database.sql`
    with l as materialized (
      select ctid as place from queued_job_events where user_id = ${USER} and seq < ${seq}
      order by seq for update skip locked),
    d as (
      delete from queued_job_events where ctid = any(array(select place from l)) returning seq)
    select count(*)::int as n from d`;
  const count = async () =>
    (await database.sql<{ n: number }[]>`select count(*)::int as n from queued_job_events`)[0]?.n;

  it("fails and delays no statement of the released version, and loses no event", async () => {
    let [last, longestMs, isOver] = [EVENTS, 0, false];
    const writing = (async () => {
      for (; !isOver; last++) {
        const startedAt = performance.now();
        await log(last + 1, last + 1);
        longestMs = Math.max(longestMs, performance.now() - startedAt);
        await nextTurn();
      }
    })();
    await migrate(empty.url);
    await log(1_000_000, 1_000_000);
    isOver = true;
    await writing;
    assert.equal(await isMigrated(database), true);
    assert.equal(await count(), last + 1);
    assert.ok(longestMs < 2000, `${longestMs} ms`);
    const names = (await readEventPartitions(database.sql)).map(({ name }) => name);
    assert.equal(names[0], "queued_job_events_first");
    assert.equal(names.length, 2);
  });

  it("continues where it was interrupted", async () => {
    await database.sql.unsafe(`
      alter table queued_job_events add logged_hour integer default 0 not null,
        add constraint queued_job_events_unpartitioned check (logged_hour = 0) not valid`);
    await log(EVENTS + 1, EVENTS + 1);
    await migrate(empty.url);
    assert.equal(await count(), EVENTS + 1);
  });

  it("lets the released purge delete from the first partition, and from no other", async () => {
    await migrate(empty.url);
    // The next partition gets rows at the places of those that the purge deletes.
    const [, next] = await readEventPartitions(database.sql);
    await database.sql.unsafe(`
      insert into ${next?.name} (user_id, seq, queued_job_id, type, at, snapshot, logged_hour)
      select '${USER}', 2000000 + i, gen_random_uuid(), 'QUEUED', now(), '{}',
        ${(next?.endHour ?? 0) - 1} from generate_series(1, 100) i`);
    assert.equal((await purgeBelow(51))[0]?.["n"], 50);
    assert.equal(await count(), EVENTS - 50 + 100);
  });
});
