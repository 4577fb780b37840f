import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { eventually } from "../../support/runner/eventually.js";

describe("plans of statements", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());

  /** Scans of the two busiest tables since the database was made. */
  async function scans(): Promise<{ whole: number; byIndex: number }> {
    const [row] = await services.database.sql<{ whole: number; byIndex: number }[]>`
      select sum(seq_scan)::int as whole, sum(idx_scan)::int as "byIndex"
      from pg_stat_user_tables where relname in ('queued_jobs', 'user_streams')`;
    return row ?? { whole: 0, byIndex: 0 };
  }

  it("use an index even if they were made while the tables were nearly empty", async () => {
    const { sql } = services.database;
    const user = await services.newUser();
    await sql`vacuum analyze queued_jobs`;
    await sql`vacuum analyze user_streams`;
    const earlier = await scans();
    // PostgreSQL keeps the plan of a prepared statement from the sixth time on.
    for (let round = 0; round < 8; round++) {
      const queuedJobs = await services.submitMany(user, [{}, {}, {}]);
      const claimed = await Promise.all(queuedJobs.map((one) => services.start(one)));
      await Promise.all(claimed.map((one) => services.queuedJobs.succeed(one, { done: true }, [])));
    }
    const later = await eventually("PostgreSQL has counted the scans", async () => {
      const now = await scans();
      return now.byIndex > earlier.byIndex + 48 && now;
    });
    assert.equal(later.whole, earlier.whole);
  });
});
