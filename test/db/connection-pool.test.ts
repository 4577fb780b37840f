import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sql as text } from "drizzle-orm";
import type { TransactionSql } from "postgres";
import { available, createDatabase } from "../../src/db/database.js";
import type { Database, DatabaseOptions } from "../../src/db/database.js";
import { currentDeadline, withDeadline } from "../../src/deadline.js";
import { onRefusal } from "../../src/overload.js";
import type { Refusal } from "../../src/overload.js";
import { eventually } from "../support/eventually.js";
import { refusalOf } from "../support/refusal-of.js";
import { createTcpProxy } from "../support/tcp-proxy.js";
import { createTestDatabase } from "../support/test-database.js";
import type { TestDatabase } from "../support/test-database.js";

const AWAY = { code: "SERVICE_UNAVAILABLE", message: "The database is away; try again in a moment." };
const OVERLOADED = { code: "SERVICE_UNAVAILABLE", message: "Too many requests wait for the database; try again in a moment." };
const NAME = "pool under test";
const UNWRITABLE = { toString: () => assert.fail("cannot be written") } as unknown as string;

describe("the connection pool", () => {
  let store: TestDatabase;
  const refusals: Refusal[] = [];
  const opened: Database[] = [];
  before(async () => {
    store = await createTestDatabase();
    await store.database.sql`create table written (n int)`;
    onRefusal((refusal) => refusals.push(refusal));
  });
  after(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await store.close();
  });
  function open(options: Partial<DatabaseOptions> = {}): Database {
    const database = createDatabase({ url: store.url, connections: 1, applicationName: NAME, ...options });
    opened.push(database);
    return database;
  }
  const locked = async () => Number((await store.database.sql`select count(*) as n from pg_stat_activity where application_name = ${NAME} and wait_event_type = 'Lock'`)[0]?.["n"]);
  const written = async () => (await store.database.sql<{ n: number }[]>`select n from written order by n`).map(({ n }) => n);
  const lock = (work: () => Promise<void>) =>
    store.database.sql.begin(async (sql) => {
      await sql`lock table duties`;
      await work();
    });
  const waitForLock = ({ sql }: Database) => sql`select from duties`;

  it("refuses at once what would be one too many to wait, by hand or by the query builder", async () => {
    const database = open({ limits: { maxWaiting: 2 } });
    refusals.length = 0;
    await lock(async () => {
      const accepted = [1, 2, 3].map(() => waitForLock(database).then((rows) => rows.length));
      await eventually("one runs and two wait", async () => (await locked()) === 1 && database.waiting === 2);
      for (const more of [() => database.sql`select 1`, () => database.orm.execute(text`select 1`), () => database.sql.begin((sql) => sql`select 1`)]) {
        assert.deepEqual(await refusalOf(available(async () => more())), OVERLOADED);
      }
      void Promise.all(accepted);
    });
    assert.deepEqual(refusals, Array.from({ length: 3 }, () => ({ what: "statement", why: "full" })));
    await eventually("those that waited are answered", () => database.waiting === 0);
  });

  it("refuses what has waited for too long, and does not send it later", async () => {
    const database = open({ limits: { waitMs: 300 } });
    refusals.length = 0;
    await lock(async () => {
      const first = waitForLock(database).then((rows) => rows.length);
      assert.deepEqual(await refusalOf(available(async () => database.sql`insert into written values (1)`)), OVERLOADED);
      void first;
    });
    await database.ping();
    assert.deepEqual([await written(), refusals], [[], [{ what: "statement", why: "waited" }]]);
  });

  it("does not send what its operation has given up while it waited", async () => {
    const database = open();
    await lock(async () => {
      void waitForLock(database).then(() => null);
      assert.equal(await withDeadline(async () => database.sql`insert into written values (2)`, 50, () => "late"), "late");
    });
    await database.ping();
    assert.deepEqual(await written(), []);
  });

  it("gives an operation half of its connections at most, so that others are answered meanwhile", async () => {
    const database = open({ connections: 4 });
    let answered = false;
    await lock(async () => {
      const greedy = withDeadline(() => Promise.all(Array.from({ length: 200 }, () => waitForLock(database))), 20_000, () => null).then(() => (answered = true));
      await eventually("it has its share", async () => (await locked()) === 2);
      for (let i = 0; i < 20; i++) assert.equal((await withDeadline(async () => database.sql<{ i: number }[]>`select ${i}::int as i`, 10_000, () => []))[0]?.i, i);
      assert.deepEqual([await locked(), database.waiting, answered], [2, 0, false]);
      void greedy;
    });
    await eventually("all of its statements are answered", () => answered);
  });

  it("refuses all of an operation that is still to be sent when its deadline passes, however many", async () => {
    const database = open({ connections: 2 });
    let settled: PromiseSettledResult<unknown>[] = [];
    await lock(async () => {
      await withDeadline(async () => {
        settled = await Promise.allSettled(Array.from({ length: 5000 }, () => waitForLock(database)));
      }, 200, () => null);
      await eventually("all are refused", () => settled.length > 0);
    });
    assert.deepEqual([new Set(settled.map(({ status }) => status)), database.waiting], [new Set(["rejected"]), 0]);
    await database.ping();
  });

  it("begins a transaction in its own operation, whoever left the connection", async () => {
    const database = open();
    const seen = new Set<unknown>();
    const expected: unknown[] = [];
    const transact = () =>
      withDeadline(async () => {
        expected.push(currentDeadline());
        await database.sql.begin(async (sql) => {
          seen.add(currentDeadline());
          await sql`select 1`;
        });
      }, 10_000, () => null);
    await Promise.all([transact(), transact(), transact()]);
    assert.deepEqual(seen, new Set(expected));
    assert.equal(seen.size, 3);
  });

  it("sends one statement of a transaction at a time, and none to the connection of a transaction", async () => {
    const database = open();
    const order: string[] = [];
    const one = database.sql.begin(async (sql) => {
      const write = (tx: TransactionSql, value: string) => tx`select ${value}::text`;
      await Promise.all([sql`select pg_sleep(0.05)`, write(sql, "known to the connection")]);
      const both = sql.savepoint(async (inner) => {
        order.push(...(await Promise.allSettled([inner`select pg_sleep(0.05)`, write(inner, UNWRITABLE)])).map(({ status }) => status));
      });
      await assert.rejects(both, { message: "cannot be written" });
      await assert.rejects(sql.savepoint(async (inner) => inner`select ${undefined as unknown as string}::text`), { name: "TypeError", message: "A parameter of a statement is undefined: pass null." });
    });
    const other = database.sql`select 3 as n`.then(() => order.push("another"));
    await Promise.all([one, other]);
    assert.deepEqual(order, ["fulfilled", "rejected", "another"]);
  });

  it("leaves a server that does not answer, and sends it nothing that its caller was refused", { timeout: 30_000 }, async () => {
    const proxy = await createTcpProxy(store.url);
    const database = open({ url: proxy.url, connections: 3, limits: { answerMs: 700 } });
    await Promise.all([1, 2, 3].map(() => database.sql`select pg_sleep(0.05)`));
    proxy.freeze();
    assert.deepEqual(await refusalOf(available(async () => database.sql`insert into written values (10)`)), AWAY);
    // The idle connections are as dead; a new one is not answered either.
    for (const n of [11, 12, 13]) assert.equal(await withDeadline(async () => database.sql`insert into written values (${n})`, 100, () => "late"), "late");
    proxy.heal();
    await eventually("it has found the server again", () => database.ping().then(() => true));
    const left = (await written()).filter((n) => n !== 10);
    assert.deepEqual(left, []);
    await store.database.sql`delete from written`;
    await proxy.close();
  });

  it("opens another connection after any failure but an answer of PostgreSQL", async () => {
    const database = open();
    const pid = async () => (await database.sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
    const first = await pid();
    await assert.rejects(database.sql`select 1 / 0`);
    assert.equal(await pid(), first);
    await assert.rejects(database.sql`select ${UNWRITABLE}::text`, { message: "cannot be written" });
    assert.notEqual(await pid(), first);
  });

  it("refuses more than 10,000 parameters, those of parts counted, before the driver sees them", async () => {
    const database = open();
    const many = (n: number) => database.sql.unsafe(`select cardinality(array[${Array.from({ length: n }, (_, i) => `$${i + 1}::int`).join()}]) as n`, Array.from({ length: n }, () => 1));
    const message = "A statement has 10001 parameters, at most 10000 are allowed: pass an array as one.";
    await assert.rejects(many(10_001), { name: "RangeError", message });
    const part = Array.from({ length: 10_000 }, () => database.sql`${1}::int +`);
    await assert.rejects(database.sql`select ${part} ${1}::int`, { name: "RangeError", message });
    assert.equal((await many(10_000))[0]?.["n"], 10_000);
    await assert.rejects(database.sql`select 1 where ${database.sql`${undefined as unknown as string}::text is null`}`, { name: "TypeError", message: "A parameter of a statement is undefined: pass null." });
  });

  it("closes the connection that returned foreign rows, whether it is idle or busy, and reports it", async () => {
    const reported: string[] = [];
    const database = open({ connections: 2, onForeignRows: (error) => reported.push(error.message) });
    const pids = async () => (await Promise.all([0.05, 0.05].map((seconds) => database.sql<{ pid: number }[]>`select pg_backend_pid() as pid, pg_sleep(${seconds})`))).map((rows) => ({ rows, pid: rows[0]?.pid }));
    const [one, two] = await pids();
    assert.equal(database.foreignRows(one?.rows ?? []).code, "SERVICE_UNAVAILABLE");
    const now = (await pids()).map(({ pid }) => pid);
    assert.deepEqual([now.includes(one?.pid), now.includes(two?.pid), reported], [false, true, ["The database gave a wrong answer; try again in a moment."]]);
    await lock(async () => {
      const busy = [1, 2].map(() => refusalOf(available(async () => waitForLock(database))));
      await eventually("both are busy", async () => (await locked()) === 2);
      // Of a connection that is gone: then none is trusted.
      database.foreignRows(one?.rows ?? []);
      assert.deepEqual(await Promise.all(busy), [AWAY, AWAY]);
    });
    await database.ping();
  });

  it("does not let a request to cancel hit the next statement of the connection", async () => {
    const proxy = await createTcpProxy(store.url);
    const database = open({ url: proxy.url });
    await database.sql`select pg_sleep(0)`;
    // The request comes when the statement has ended by itself.
    proxy.delayNew(300);
    const late = withDeadline(async () => database.sql`select pg_sleep(0.3)`, 200, () => "late");
    await nextTurn();
    const next = database.sql`select pg_sleep(0.6), 'unharmed' as what`.then((rows) => rows[0]?.["what"] as unknown);
    assert.deepEqual([await late, await next], ["late", "unharmed"]);
    await proxy.close();
  });

  it("refuses what comes when it is closed, and what waits then", async () => {
    const database = open();
    const answers: Promise<unknown>[] = [];
    await lock(async () => {
      answers.push(waitForLock(database).then((rows) => rows.length));
      const waiting = refusalOf(available(async () => database.sql`select 1`));
      await eventually("one runs and one waits", async () => (await locked()) === 1 && database.waiting === 1);
      answers.push(database.close());
      assert.deepEqual([await waiting, await refusalOf(database.ping())], [AWAY, AWAY]);
    });
    assert.deepEqual(await Promise.all(answers), [0, undefined]);
  });
});
