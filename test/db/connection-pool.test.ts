import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TransactionSql } from "postgres";
import { available, type Database } from "../../src/db/database.js";
import { currentDeadline, withDeadline } from "../../src/runtime/deadline.js";
import { eventually } from "../support/runner/eventually.js";
import { refusalOf } from "../support/asserts/refusal-of.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { AWAY, createPoolScene, type PoolScene } from "./pool-scene.js";

const UNWRITABLE = { toString: () => assert.fail("cannot be written") } as unknown as string;
const UNDEFINED = undefined as unknown as string;
const LONG_MS = 20_000;

describe("the connection pool", () => {
  let scene: PoolScene;
  before(async () => {
    scene = await createPoolScene();
  });
  after(() => scene.close());
  const pidOf = async ({ sql }: Database) =>
    (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;

  it("runs a transaction in its own operation, not in that of a previous one", async () => {
    const database = scene.open();
    const [seen, expected] = [new Set<unknown>(), new Set<unknown>()];
    async function transact(): Promise<void> {
      expected.add(currentDeadline());
      await database.sql.begin(async (sql) => {
        seen.add(currentDeadline());
        await sql`select 1`;
      });
    }
    await Promise.all([1, 2, 3].map(() => withDeadline(transact, LONG_MS, () => null)));
    assert.deepEqual(seen, expected);
    assert.equal(seen.size, 3);
  });

  it("sends one statement of a transaction at a time, and no others between", async () => {
    const database = scene.open();
    const order: string[] = [];
    const write = (sql: TransactionSql, value: string) => sql`select ${value}::text`;
    const transaction = database.sql.begin(async (sql) => {
      await Promise.all([sql`select pg_sleep(0.05)`, write(sql, "prepared on the connection")]);
      const both = sql.savepoint(async (inner) => {
        const sent = [inner`select pg_sleep(0.05)`, write(inner, UNWRITABLE)];
        order.push(...(await Promise.allSettled(sent)).map(({ status }) => status));
      });
      await assert.rejects(both, { message: "cannot be written" });
      const undefinedParameter = sql.savepoint((inner) => write(inner, UNDEFINED));
      await assert.rejects(undefinedParameter, { name: "TypeError" });
    });
    const other = database.sql`select 3 as n`.then(() => order.push("another"));
    await Promise.all([transaction, other]);
    assert.deepEqual(order, ["fulfilled", "rejected", "another"]);
  });

  it(
    "abandons a server that does not answer and sends it nothing more",
    { timeout: 30_000 },
    async () => {
      const proxy = await createTcpProxy(scene.url);
      const database = scene.open({ url: proxy.url, connections: 3, limits: { answerMs: 700 } });
      const insert = async (n: number) => database.sql`insert into written values (${n})`;
      await Promise.all([1, 2, 3].map(() => database.sql`select pg_sleep(0.05)`));
      proxy.freeze();
      assert.deepEqual(await refusalOf(available(() => insert(10))), AWAY);
      // The idle connections are also closed; a new one gets no answer.
      for (const n of [11, 12, 13])
        assert.equal(
          await withDeadline(
            () => insert(n),
            100,
            () => "late",
          ),
          "late",
        );
      proxy.heal();
      await eventually("it has found the server again", () => database.ping().then(() => true));
      // The first insert was already on its way.
      assert.deepEqual(
        (await scene.written()).filter((n) => n !== 10),
        [],
      );
      await proxy.close();
    },
  );

  it("cancels a statement that lasts too long, and keeps its connection", async () => {
    const database = scene.open({ limits: { statementMs: 300 } });
    const first = await pidOf(database);
    assert.deepEqual(await refusalOf(available(() => database.sql`select pg_sleep(60)`)), AWAY);
    const inTransaction = database.sql.begin((sql) => sql`select pg_sleep(60)`);
    await assert.rejects(inTransaction, { code: "57014" });
    assert.equal(await pidOf(database), first);
  });

  it("opens a new connection after any failure except an error of PostgreSQL", async () => {
    const database = scene.open();
    const first = await pidOf(database);
    await assert.rejects(database.sql`select 1 / 0`);
    assert.equal(await pidOf(database), first);
    await assert.rejects(database.sql`select ${UNWRITABLE}::text`, {
      message: "cannot be written",
    });
    assert.notEqual(await pidOf(database), first);
  });

  it("opens a new connection when its server becomes read-only", async () => {
    const database = scene.open();
    const raise = (state: string) =>
      database.sql.unsafe(`do $$ begin raise exception 'x' using errcode = '${state}'; end $$`);
    const first = await pidOf(database);
    await assert.rejects(raise("55P03"), { code: "55P03" });
    assert.equal(await pidOf(database), first);
    await assert.rejects(raise("25006"), { code: "25006" });
    assert.notEqual(await pidOf(database), first);
  });

  it("refuses more than 10,000 parameters before the driver sees them", async () => {
    const { sql } = scene.open();
    function count(n: number) {
      const places = Array.from({ length: n }, (_, i) => `$${i + 1}::int`).join();
      const values = Array.from({ length: n }, () => 1);
      return sql.unsafe(`select cardinality(array[${places}]) as n`, values);
    }
    const message =
      "A statement has 10001 parameters; at most 10000 are allowed: pass an array as one " +
      "parameter.";
    await assert.rejects(count(10_001), { name: "RangeError", message });
    const parts = Array.from({ length: 10_000 }, () => sql`${1}::int +`);
    await assert.rejects(sql`select ${parts} ${1}::int`, { name: "RangeError", message });
    assert.equal((await count(10_000))[0]?.["n"], 10_000);
  });

  it("refuses an undefined parameter before the driver sees it, also in a fragment", async () => {
    const { sql } = scene.open();
    const refusal = {
      name: "TypeError",
      message: "A parameter of a statement is undefined: pass null.",
    };
    await assert.rejects(sql`select ${UNDEFINED}::text`, refusal);
    await assert.rejects(sql`select 1 where ${sql`${UNDEFINED}::text is null`}`, refusal);
  });

  it("closes the connection that returned foreign rows, and reports it", async () => {
    const reported: string[] = [];
    const onForeignRows = ({ message }: Error) => void reported.push(message);
    const database = scene.open({ connections: 2, onForeignRows });
    const readBoth = () =>
      Promise.all([1, 2].map(() => database.sql`select pg_sleep(0.05), pg_backend_pid() as pid`));
    const pidsOf = (answers: Record<string, unknown>[][]) => answers.map(([row]) => row?.["pid"]);
    const answers = await readBoth();
    const [one, two] = pidsOf(answers);
    assert.equal(database.foreignRows(answers[0] ?? []).code, "SERVICE_UNAVAILABLE");
    const pids = pidsOf(await readBoth());
    assert.deepEqual([pids.includes(one), pids.includes(two)], [false, true]);
    assert.deepEqual(reported, ["The database returned a wrong answer; try again in a moment."]);
  });

  it("closes all connections when the one that returned foreign rows is unknown", async () => {
    const database = scene.open({ connections: 2 });
    await scene.lock(async () => {
      const waitForLock = async () => scene.waitForLock(database);
      const busy = [1, 2].map(() => refusalOf(available(waitForLock)));
      await eventually("both are busy", async () => (await scene.locked()) === 2);
      const startedAt = performance.now();
      database.foreignRows([]);
      assert.deepEqual(await Promise.all(busy), [AWAY, AWAY]);
      assert.ok(performance.now() - startedAt < 2000, "they ran into their lock timeout");
    });
    await database.ping();
  });

  it("never lets a cancel request hit the next statement of a connection", async () => {
    const proxy = await createTcpProxy(scene.url);
    const database = scene.open({ url: proxy.url });
    await database.sql`select pg_sleep(0)`;
    // The request arrives after the statement has ended by itself.
    proxy.delayNew(300);
    const sleep = async () => database.sql`select pg_sleep(0.3)`;
    const late = withDeadline(sleep, 200, () => "late");
    await nextTurn();
    const [row] = await database.sql`select pg_sleep(0.6), 'unharmed' as what`;
    assert.deepEqual([await late, row?.["what"]], ["late", "unharmed"]);
    await proxy.close();
  });

  it("refuses new and waiting statements when it is closed", async () => {
    const database = scene.open();
    const others: Promise<unknown>[] = [];
    await scene.lock(async () => {
      others.push((async () => (await scene.waitForLock(database)).length)());
      const waiting = refusalOf(available(async () => database.sql`select 1`));
      const hasBegun = async () => (await scene.locked()) === 1 && database.waiting === 1;
      await eventually("one runs and one waits", hasBegun);
      others.push(database.close());
      assert.deepEqual([await waiting, await refusalOf(database.ping())], [AWAY, AWAY]);
    });
    assert.deepEqual(await Promise.all(others), [0, undefined]);
  });
});
