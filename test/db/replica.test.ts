import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createDatabase, type Database } from "../../src/db/database.js";
import { openReplica } from "../../src/db/replica.js";
import { eventually } from "../support/runner/eventually.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

// test/stories/engines has a replica of its own.
describe("reads that may be some seconds old", () => {
  let store: TestDatabase;
  let other: Database;
  before(async () => {
    store = await createTestDatabase();
    other = createDatabase({ url: store.url, connections: 1, applicationName: "replica" });
  });
  after(async () => {
    await other.close();
    await store.close();
  });

  it("go to the primary when the server is not known to be its replica", async () => {
    let checks = 0;
    const primary = Object.create(store.database, {
      sql: {
        get() {
          checks++;
          return store.database.sql;
        },
      },
    }) as Database;
    const changes: boolean[] = [];
    const onChange = (usable: boolean) => void changes.push(usable);
    const recent = openReplica({ primary, replica: other, onChange, checkMs: 10 });
    try {
      await eventually("it is checked", () => checks > 3);
      const name = await recent.read(
        async ({ sql }) => (await sql`select current_setting('application_name') as name`)[0],
      );
      assert.deepEqual(name, { name: "test" });
      assert.deepEqual([changes, recent.lagSeconds()], [[], Infinity]);
    } finally {
      recent.close();
    }
  });
});
