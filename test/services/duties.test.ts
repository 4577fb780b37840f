import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createDuties } from "../../src/services/duties.js";
import type { Duties } from "../../src/services/duties.js";
import { createTestDatabase } from "../support/test-database.js";
import type { TestDatabase } from "../support/test-database.js";

describe("duties", () => {
  let store: TestDatabase;
  let duties: Duties;
  before(async () => {
    store = await createTestDatabase();
    duties = createDuties(store.database);
  });
  after(() => store.close());

  it("are had by one of ten who ask at once", async () => {
    const held = await Promise.all(Array.from({ length: 10 }, (_, i) => duties.hold("one of ten", `worker ${i}`, 60)));
    assert.equal(held.filter(Boolean).length, 1);
  });

  it("are renewed by their holder and refused to others", async () => {
    assert.deepEqual([await duties.hold("renewed", "a", 60), await duties.hold("renewed", "a", 60), await duties.hold("renewed", "b", 60)], [true, true, false]);
    const [row] = await store.database.sql`select holder, held_until > clock_timestamp() + interval '55 seconds' as long from duties where name = 'renewed'`;
    assert.deepEqual([row?.["holder"], row?.["long"]], ["a", true]);
  });

  it("are taken over when their holder has let them lapse", async () => {
    await duties.hold("lapsed", "a", 60);
    await store.database.sql`update duties set held_until = clock_timestamp() - interval '1 ms' where name = 'lapsed'`;
    assert.deepEqual([await duties.hold("lapsed", "b", 60), await duties.hold("lapsed", "a", 60)], [true, false]);
  });

  it("are apart from each other", async () => {
    assert.deepEqual([await duties.hold("this", "a", 60), await duties.hold("that", "b", 60)], [true, true]);
  });
});
