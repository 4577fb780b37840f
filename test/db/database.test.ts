import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql as drizzleSql } from "drizzle-orm";
import postgres from "postgres";
import { available, createDatabase, sqlState, violatedConstraint } from "../../src/db/database.js";
import { users } from "../../src/db/schema/users.js";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { eventually } from "../support/runner/eventually.js";
import { refusalOf } from "../support/asserts/refusal-of.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

const AWAY = {
  code: "SERVICE_UNAVAILABLE",
  message: "The database is unavailable; try again in a moment.",
};

describe("the database", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());
  const raise = (state: string) =>
    store.database.sql.unsafe(
      `do $$ begin raise exception 'raised' using errcode = '${state}'; end $$`,
    );

  it("answers in UTC and waits four seconds for a lock", async () => {
    const [row] = await store.database
      .sql`select current_setting('TimeZone') as zone, current_setting('lock_timeout') as lock,
        current_setting('application_name') as name`;
    assert.deepEqual(row, { zone: "UTC", lock: "4s", name: "test" });
    await store.database.ping();
  });

  it("does not limit the statements of other programs that use its role", async () => {
    const psql = postgres(store.url, { max: 1 });
    const [row] = await psql`select current_setting('statement_timeout') as statement`;
    assert.deepEqual(row, { statement: "0" });
    await psql.end();
  });

  it("ends a statement whose process is gone", async () => {
    const { sql } = store.database;
    const gone = postgres(store.url, { max: 1 });
    const lost = gone`select pg_sleep(60)`.then(
      () => null,
      ({ code }: { code: string }) => code,
    );
    const sleeping = async () =>
      (await sql`select from pg_stat_activity where query = 'select pg_sleep(60)'`).length;
    await eventually("the statement runs", async () => (await sleeping()) === 1);
    await gone.end({ timeout: 0 });
    assert.equal(await lost, "CONNECTION_DESTROYED");
    await eventually("it has ended", async () => (await sleeping()) === 0);
  });

  describe("lost", () => {
    it("during a statement is SERVICE_UNAVAILABLE, and the next reconnects", async () => {
      const { sql } = store.database;
      const refused = refusalOf(available(() => sql`select pg_sleep(4)`));
      const ended = await eventually("the statement runs, and its connection is cut", async () => {
        const rows = await sql`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query = 'select pg_sleep(4)'
              and state = 'active'`;
        return rows.length > 0;
      });
      assert.ok(ended);
      assert.deepEqual(await refused, AWAY);
      await store.database.ping();
    });

    it("during a transaction refuses it, also what it sends afterwards, and no process ends", async () => {
      // The driver's fault does not show every time.
      for (let i = 0; i < 20; i++) {
        const refused = await refusalOf(
          available(() =>
            store.database.sql.begin(async (tx) => {
              await tx`select pg_terminate_backend(pg_backend_pid())`.catch(() => {});
              await tx`select 1`;
            }),
          ),
        );
        assert.deepEqual(refused, AWAY);
      }
      await store.database.ping();
    });

    it("through the query builder is the same error, with the cause kept for the log", async () => {
      const error = await available(() =>
        store.database.orm.execute(
          drizzleSql`do $$ begin raise exception 'x' using errcode = '57P01'; end $$`,
        ),
      ).then(
        () => null,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof ServiceUnavailableError);
      assert.equal(sqlState(error.cause), "57P01");
    });

    it("from the beginning is SERVICE_UNAVAILABLE, for a ping and for a query", async () => {
      // Nothing answers on port 1 of this machine.
      const nowhere = createDatabase({
        url: "postgres://nobody@127.0.0.1:1/none",
        connections: 1,
        applicationName: "test",
      });
      assert.deepEqual(await refusalOf(nowhere.ping()), AWAY);
      assert.deepEqual(await refusalOf(available(() => nowhere.orm.select().from(users))), AWAY);
      await nowhere.close();
    });

    it("because it is closed is SERVICE_UNAVAILABLE", async () => {
      const closed = createDatabase({ url: store.url, connections: 1, applicationName: "test" });
      await closed.ping();
      await closed.close();
      assert.deepEqual(await refusalOf(closed.ping()), AWAY);
    });

    for (const [why, state] of [
      ["shutting down", "57P01"],
      ["crashed", "57P02"],
      ["starting", "57P03"],
      ["full of connections", "53300"],
      ["read-only", "25006"],
      ["out of disk", "53100"],
      ["too slow", "57014"],
      ["too busy with a lock", "55P03"],
      ["cut off", "08006"],
    ] as const) {
      it(`because it is ${why} (${state}) is SERVICE_UNAVAILABLE`, async () =>
        assert.deepEqual(await refusalOf(available(() => raise(state))), AWAY));
    }

    it("for a statement that takes too long is SERVICE_UNAVAILABLE", async () => {
      const { sql } = store.database;
      assert.deepEqual(
        await refusalOf(
          available(() =>
            sql.begin(async (tx) => {
              await tx`set local statement_timeout = 20`;
              await tx`select pg_sleep(3)`;
            }),
          ),
        ),
        AWAY,
      );
    });

    it("for a statement that waits too long for a lock is SERVICE_UNAVAILABLE", async () => {
      const { sql } = store.database;
      await sql.begin(async (tx) => {
        await tx`lock table duties`;
        assert.deepEqual(
          await refusalOf(
            available(() =>
              sql.begin(async (other) => {
                await other`set local lock_timeout = 20`;
                await other`select from duties`;
              }),
            ),
          ),
          AWAY,
        );
      });
    });
  });

  describe("that has undone a statement", () => {
    for (const [why, state] of [
      ["deadlock", "40P01"],
      ["serialisation failure", "40001"],
    ] as const) {
      it(`after a ${why} runs it again, at most three times`, async () => {
        let tries = 0;
        const value = await available(async () => {
          tries++;
          if (tries < 3) await raise(state);
          return "done";
        });
        assert.deepEqual([value, tries], ["done", 3]);
        tries = 0;
        await assert.rejects(
          available(async () => {
            tries++;
            await raise(state);
          }),
          (error) => sqlState(error) === state,
        );
        assert.equal(tries, 3);
      });
    }

    it("completes both transactions of a real deadlock", async () => {
      const { sql } = store.database;
      await sql`insert into duties values ('a', 'x', now()), ('b', 'x', now())`;
      let met = 0;
      const both = async (first: string, second: string) => {
        await sql.begin(async (tx) => {
          await tx`set local deadlock_timeout = 20`;
          await tx`update duties set holder = holder || 'x' where name = ${first}`;
          met++;
          await eventually("both hold one", () => met >= 2);
          await tx`update duties set holder = holder || 'x' where name = ${second}`;
        });
      };
      await Promise.all([available(() => both("a", "b")), available(() => both("b", "a"))]);
      assert.deepEqual(
        (await sql`select holder from duties order by name`).map((row) => row["holder"]),
        ["xxx", "xxx"],
      );
      // At least one was undone; both were if both detected the deadlock at once.
      assert.ok(met >= 3, `${met} tries`);
    });
  });

  it("throws any other error unchanged, without a retry", async () => {
    const { sql } = store.database;
    let tries = 0;
    await assert.rejects(
      available(async () => {
        tries++;
        await sql`select * from nothing_of_the_kind`;
      }),
      (error) => error instanceof postgres.PostgresError && error.code === "42P01",
    );
    assert.equal(tries, 1);
    await assert.rejects(
      available(() => Promise.reject(new Error("a bug"))),
      { message: "a bug" },
    );
  });

  it("returns the SQLSTATE and the constraint of an error at any depth of wrapping", async () => {
    const error = await store.database
      .sql`insert into duties values ('same', 'x', now()), ('same', 'y', now())`.then(
      () => null,
      (reason: unknown) => reason,
    );
    const wrapped = new Error("outer", { cause: new Error("inner", { cause: error }) });
    assert.deepEqual([sqlState(wrapped), violatedConstraint(wrapped)], ["23505", "duties_pkey"]);
    for (const other of [
      new Error("x"),
      null,
      undefined,
      "57P01",
      Object.assign(new Error("x"), { code: "ECONNRESET" }),
    ])
      assert.deepEqual([sqlState(other), violatedConstraint(other)], [null, null]);
  });
});
