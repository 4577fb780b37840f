import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sql as text } from "drizzle-orm";
import { createDatabase, type Database } from "../../src/db/database.js";
import { withDeadline } from "../../src/runtime/deadline.js";
import { eventually } from "../support/runner/eventually.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

const LATE = "late";
const MS = 100;

describe("a statement of an operation whose deadline has passed", () => {
  let store: TestDatabase;
  let database: Database;
  let closing: Promise<unknown> | null = null;
  before(async () => {
    store = await createTestDatabase();
    database = createDatabase({
      url: store.url,
      connections: 2,
      applicationName: "late statements",
    });
    await database.sql`create table counted (n int)`;
  });
  after(async () => {
    await Promise.all([database.close(), closing]);
    await store.close();
  });

  /** Statements of the tested client that run or wait for a lock. */
  const active = async () =>
    (
      await store.database.sql<
        { query: string }[]
      >`select query from pg_stat_activity where application_name = 'late statements'
        and state = 'active'`
    ).map(({ query }) => query);
  const idle = () =>
    eventually("nothing runs any more", async () => (await active()).length === 0, 10_000);
  const counted = async () =>
    Number((await store.database.sql<{ n: string }[]>`select count(*) as n from counted`)[0]?.n);
  const tooLate = (work: () => Promise<unknown>, ms = MS) => withDeadline(work, ms, () => LATE);

  it("is abandoned without an error when PostgreSQL cannot be reached", async () => {
    const proxy = await createTcpProxy(store.url);
    const away = createDatabase({
      url: proxy.url,
      connections: 1,
      applicationName: "late and away",
    });
    await away.sql`select 1`;
    proxy.freeze();
    assert.equal(await tooLate(async () => away.sql`select 2`), LATE);
    proxy.down();
    // An unhandled error would end this process.
    await pause(MS);
    // Closing takes a while, because the statement was lost on the way.
    closing = Promise.all([away.close(), proxy.close()]);
  });

  it("is cancelled while it runs, and its connection serves the next statement", async () => {
    for (const slow of [
      () => database.sql`select pg_sleep(20)`,
      () => database.sql.unsafe("select pg_sleep(20)"),
      () => database.orm.execute(text`select pg_sleep(20)`),
    ]) {
      assert.equal(await tooLate(async () => slow()), LATE);
      await idle();
    }
    const [row] = await database.sql`select 1 as one`;
    assert.deepEqual({ ...row }, { one: 1 });
  });

  it("does not start after the deadline", async () => {
    const answer = tooLate(async () => {
      // One statement is created before the deadline, and awaited after it.
      const early = database.sql`insert into counted values (1)`;
      await pause(2 * MS);
      await Promise.allSettled([early, database.sql`insert into counted values (1)`]);
    });
    assert.equal(await answer, LATE);
    await pause(3 * MS);
    assert.equal(await counted(), 0);
  });

  it("is cancelled as a whole; a fragment is never sent as its own statement", async () => {
    const part = () => database.sql`insert into counted values (5) returning n`;
    assert.equal(
      await tooLate(async () => database.sql`with x as (${part()}) select pg_sleep(20) from x`),
      LATE,
    );
    await idle();
    await pause(2 * MS);
    assert.equal(await counted(), 0);
  });

  it("rolls back its transaction, which starts no further statement", async () => {
    const answer = tooLate(() =>
      database.sql.begin(async (transaction) => {
        await transaction`insert into counted values (2)`;
        await transaction`select pg_sleep(20)`;
      }),
    );
    assert.equal(await answer, LATE);
    await idle();
    const started = tooLate(async () => {
      await pause(2 * MS);
      return database.sql.begin((transaction) => transaction`insert into counted values (3)`);
    });
    assert.equal(await started, LATE);
    await pause(3 * MS);
    assert.equal(await counted(), 0);
  });

  it("is cancelled as soon as it gets a connection, and harms no other statement", async () => {
    const slow = (i: number, seconds: number) =>
      database.sql<{ i: number }[]>`select ${i}::int as i, pg_sleep(${seconds})`.then(
        (rows) => rows[0]?.i,
      );
    // Prepared on both connections, because only then can statements be pipelined.
    for (let round = 0; round < 2; round++)
      await Promise.all(Array.from({ length: 6 }, (_, i) => slow(i, 0.01)));
    const others = Array.from({ length: 6 }, (_, i) => slow(i, 0.2));
    // These are sent at once, so that they precede those that follow.
    const late = Array.from({ length: 4 }, () =>
      tooLate(() => database.sql`select pg_sleep(20)`.then((rows) => rows)),
    );
    const behind = Array.from({ length: 6 }, (_, i) => slow(10 + i, 0));
    assert.deepEqual(await Promise.all(late), [LATE, LATE, LATE, LATE]);
    // Each gets its own row, whichever statement was cancelled before it.
    assert.deepEqual(await Promise.all(others), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(await Promise.all(behind), [10, 11, 12, 13, 14, 15]);
    await idle();
  });

  it("is not touched in time, or outside an operation", async () => {
    assert.equal(
      (
        await withDeadline(
          async () => database.sql`insert into counted values (4) returning n`,
          10_000,
          () => [],
        )
      )[0]?.["n"],
      4,
    );
    await database.sql`select pg_sleep(0.3)`;
    assert.equal(await counted(), 1);
  });
});
