import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  createDuties,
  whileHolding,
  type Duties,
} from "../../../src/services/maintenance/duties.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

describe("duties", () => {
  let store: TestDatabase;
  let duties: Duties;
  before(async () => {
    store = await createTestDatabase();
    duties = createDuties(store.database);
  });
  after(() => store.close());

  it("are held by one of ten concurrent callers", async () => {
    const held = await Promise.all(
      Array.from({ length: 10 }, (_, i) => duties.hold("one of ten", `worker ${i}`, 60)),
    );
    assert.equal(held.filter(Boolean).length, 1);
  });

  it("are renewed by their holder and refused to others", async () => {
    assert.deepEqual(
      [
        await duties.hold("renewed", "a", 60),
        await duties.hold("renewed", "a", 60),
        await duties.hold("renewed", "b", 60),
      ],
      [true, true, false],
    );
    const [row] = await store.database
      .sql`select holder, held_until > clock_timestamp() + interval '55 seconds' as long from duties
        where name = 'renewed'`;
    assert.deepEqual([row?.["holder"], row?.["long"]], ["a", true]);
  });

  it("are taken over after they have lapsed", async () => {
    await duties.hold("lapsed", "a", 60);
    await store.database.sql`update duties set held_until = clock_timestamp() - interval '1 ms'
        where name = 'lapsed'`;
    assert.deepEqual(
      [await duties.hold("lapsed", "b", 60), await duties.hold("lapsed", "a", 60)],
      [true, false],
    );
  });

  it("are independent of each other", async () => {
    assert.deepEqual(
      [await duties.hold("this", "a", 60), await duties.hold("that", "b", 60)],
      [true, true],
    );
  });

  describe("held during work", () => {
    const { signal } = new AbortController();
    const holding = (holder: string, name: string, seconds = 1) => ({
      duties,
      name,
      holder,
      signal,
      seconds,
    });

    const untilHeld = (name: string) =>
      eventually(
        "it is held",
        async () =>
          (await store.database.sql`select from duties where name = ${name}`).length === 1,
      );

    it("are renewed however long the work takes, and are free some time after it", async () => {
      let end = (): void => {};
      const long = new Promise<string>((resolve) => (end = () => resolve("done")));
      const startedAt = Date.now();
      const first = whileHolding(holding("a", "long"), () => long);
      await untilHeld("long");
      await eventually("the work takes longer than the duty", async () => {
        assert.equal(await whileHolding(holding("b", "long"), async () => "stolen"), null);
        return Date.now() - startedAt > 1500;
      });
      end();
      assert.equal(await first, "done");
      await eventually("another holder has it", () =>
        whileHolding(holding("b", "long"), async () => true),
      );
    });

    it("abort the work when another holder takes them, for example after a freeze", async () => {
      const lost = whileHolding(
        holding("a", "stolen"),
        (own) =>
          new Promise((resolve) =>
            own.addEventListener("abort", () => resolve((own.reason as Error).message)),
          ),
      );
      await untilHeld("stolen");
      await store.database
        .sql`update duties set holder = 'b', held_until = clock_timestamp() + interval '1 minute'
          where name = 'stolen'`;
      assert.equal(await lost, 'The duty "stolen" was lost to another worker');
    });

    it("abort the work before they lapse when the database does not answer", async () => {
      let answers = true;
      const deaf: Duties = {
        hold: async (...asked) =>
          answers ? duties.hold(...asked) : Promise.reject(new Error("away")),
      };
      const startedAt = Date.now();
      const lost = whileHolding(
        { ...holding("a", "away"), duties: deaf },
        (own) =>
          new Promise((resolve) =>
            own.addEventListener("abort", () => resolve(Date.now() - startedAt)),
          ),
      );
      await eventually(
        "it is held",
        async () => (await store.database.sql`select from duties where name = 'away'`).length === 1,
      );
      answers = false;
      const after_ = Number(await lost);
      assert.ok(after_ < 1200, `${after_} ms`);
    });
  });
});
