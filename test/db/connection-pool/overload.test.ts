import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { sql as text } from "drizzle-orm";
import { available, type Database } from "../../../src/db/database.js";
import { currentDeadline, withDeadline } from "../../../src/runtime/deadline.js";
import { onRefusal, type Refusal } from "../../../src/runtime/micro-batch.js";
import { eventually } from "../../support/runner/eventually.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createPoolScene, type PoolScene } from "../pool-scene.js";

const OVERLOADED = {
  code: "SERVICE_UNAVAILABLE",
  message: "Too many requests are waiting for the database; try again in a moment.",
};
const LONG_MS = 20_000;

describe("an overloaded connection pool", () => {
  let scene: PoolScene;
  const refusals: Refusal[] = [];
  before(async () => {
    scene = await createPoolScene();
    onRefusal((refusal) => refusals.push(refusal));
  });
  beforeEach(() => {
    refusals.length = 0;
  });
  after(() => scene.close());
  const waitForLock = async (database: Database) => (await scene.waitForLock(database)).length;

  it("refuses a statement at once when too many are waiting", async () => {
    const database = scene.open({ limits: { maxWaiting: 2 } });
    const more: (() => Promise<unknown>)[] = [
      async () => database.sql`select 1`,
      async () => database.orm.execute(text`select 1`),
      async () => database.sql.begin((sql) => sql`select 1`),
    ];
    let accepted: Promise<unknown> = Promise.resolve();
    await scene.lock(async () => {
      accepted = Promise.all([1, 2, 3].map(() => waitForLock(database)));
      const isFull = async () => (await scene.locked()) === 1 && database.waiting === 2;
      await eventually("one runs and two wait", isFull);
      for (const one of more) assert.deepEqual(await refusalOf(available(one)), OVERLOADED);
    });
    assert.deepEqual(await accepted, [0, 0, 0]);
    assert.deepEqual(
      refusals,
      more.map(() => ({ what: "statement", why: "full" })),
    );
  });

  it("refuses a statement that has waited too long and does not send it later", async () => {
    const database = scene.open({ limits: { waitMs: 300 } });
    let first: Promise<unknown> = Promise.resolve();
    await scene.lock(async () => {
      first = waitForLock(database);
      const second = available(async () => database.sql`insert into written values (1)`);
      assert.deepEqual(await refusalOf(second), OVERLOADED);
    });
    assert.equal(await first, 0);
    await database.ping();
    assert.deepEqual(await scene.written(), []);
    assert.deepEqual(refusals, [{ what: "statement", why: "waited" }]);
  });

  it("does not send a statement whose operation gave up while it waited", async () => {
    const database = scene.open();
    let first: Promise<unknown> = Promise.resolve();
    await scene.lock(async () => {
      first = waitForLock(database);
      const insert = async () => database.sql`insert into written values (2)`;
      assert.equal(await withDeadline(insert, 50, () => "late"), "late");
    });
    await first;
    await database.ping();
    assert.deepEqual(await scene.written(), []);
  });

  it("gives one operation at most half of its connections", async () => {
    const database = scene.open({ connections: 4 });
    const waitOften = () => Promise.all(Array.from({ length: 200 }, () => waitForLock(database)));
    let greedy: Promise<unknown> = Promise.resolve();
    await scene.lock(async () => {
      greedy = withDeadline(waitOften, LONG_MS, () => null);
      await eventually("it has its share", async () => (await scene.locked()) === 2);
      for (let i = 0; i < 20; i++) {
        const read = async () => (await database.sql<{ i: number }[]>`select ${i}::int as i`)[0]?.i;
        assert.equal(await withDeadline(read, LONG_MS, () => null), i);
      }
      assert.deepEqual([await scene.locked(), database.waiting], [2, 0]);
    });
    assert.deepEqual(new Set((await greedy) as number[]), new Set([0]));
  });

  it("refuses all remaining statements of an operation when its deadline passes", async () => {
    const database = scene.open({ connections: 2 });
    let settled: PromiseSettledResult<unknown>[] = [];
    async function waitOften(): Promise<void> {
      const statements = Array.from({ length: 5000 }, () => waitForLock(database));
      settled = await Promise.allSettled(statements);
    }
    await scene.lock(async () => {
      await withDeadline(waitOften, 200, () => null);
      await eventually("all are refused", () => settled.length > 0);
    });
    assert.deepEqual(new Set(settled.map(({ status }) => status)), new Set(["rejected"]));
    assert.equal(database.waiting, 0);
    await database.ping();
  });

  it("refuses a statement that an operation starts after its deadline", async () => {
    const database = scene.open();
    let refusal: Promise<object> | undefined;
    await withDeadline(
      async () => {
        await eventually("the deadline has passed", () => currentDeadline()?.passed === true);
        refusal = refusalOf(available(async () => database.sql`select 1`));
        await refusal;
      },
      20,
      () => null,
    );
    await eventually("the statement is refused", () => refusal !== undefined);
    assert.equal(((await refusal) as { code: string }).code, "SERVICE_UNAVAILABLE");
  });
});
