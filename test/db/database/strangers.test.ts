// Statements of different callers share connections, but not their rows, errors or time.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Sql, TransactionSql } from "postgres";
import { createDatabase, type Database } from "../../../src/db/database.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

describe("statements of different callers", () => {
  let store: TestDatabase;
  let database: Database;
  before(async () => {
    store = await createTestDatabase();
    database = createDatabase({ url: store.url, connections: 1, applicationName: "strangers" });
  });
  after(async () => {
    await database.close();
    await store.close();
  });
  const who = (name: string, seconds = 0) =>
    database.sql<{ who: string }[]>`select ${name} as who, pg_sleep(${seconds})`.then(
      (rows) => rows[0]?.who,
    );

  const refusals: [what: string, statement: () => Promise<unknown>][] = [
    [
      "with 70,000 parameters",
      () =>
        database.sql.unsafe(
          `select ${Array.from({ length: 70_000 }, (_, i) => `$${i + 1}`).join()}`,
          Array.from({ length: 70_000 }, String),
        ),
    ],
    [
      "with an undefined parameter",
      () => database.sql`select ${undefined as unknown as string}::text`,
    ],
    [
      "with a parameter that cannot be written",
      () =>
        database.sql`select
          ${{ toString: () => assert.fail("no text") } as unknown as string}::text`,
    ],
  ];
  for (const [what, statement] of refusals) {
    it(
      `get their own rows when a statement ${what} comes between them`,
      { timeout: 20_000 },
      async () => {
        await who("warm");
        const mine = who("mine", 0.2);
        await nextTurn();
        const refused = statement().then(
          () => "it was sent",
          () => "refused",
        );
        const others = [who("yours"), who("theirs")];
        assert.deepEqual(await Promise.all([mine, refused, ...others]), [
          "mine",
          "refused",
          "yours",
          "theirs",
        ]);
        assert.deepEqual([await who("later"), await who("last")], ["later", "last"]);
      },
    );
  }

  it("get no rows of a statement that failed after its first rows", async () => {
    const half = (sql: Sql | TransactionSql) =>
      sql`select 1 / (3 - n) from generate_series(1, 9) as n`;
    await assert.rejects(half(database.sql), { code: "22012" });
    assert.deepEqual([...(await database.sql`select 'yours' as who`)], [{ who: "yours" }]);
    await assert.rejects(database.sql.begin(half), { code: "22012" });
    assert.deepEqual([...(await database.sql`select 'theirs' as who`)], [{ who: "theirs" }]);
  });

  it("do not wait for a slow statement while another connection is free", async () => {
    const two = createDatabase({
      url: store.url,
      connections: 2,
      applicationName: "two strangers",
    });
    const slow = (seconds: number) => two.sql`select pg_sleep(${seconds})`;
    await Promise.all([slow(0.05), slow(0.05)]);
    let slept = false;
    const sleeping = slow(2).then(() => (slept = true));
    await Promise.all(Array.from({ length: 40 }, () => slow(0)));
    assert.equal(slept, false);
    await sleeping;
    await two.close();
  });
});
