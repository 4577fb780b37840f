import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createPurge } from "../../../../src/services/maintenance/purge.js";
import type { UndeliveredLimits } from "../../../../src/services/maintenance/purge-events.js";
import type { User } from "../../../../src/services/users/users.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const LIMITS: UndeliveredLimits = { keptSeconds: 1000, maxRecordedBytes: 1_000_000 };

describe("the purge beside webhooks", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    const { sql } = services.database;
    await sql`truncate users, queued_job_events cascade`;
    user = await services.newUser();
    await services.submitMany(user, [{}, {}, {}, {}, {}]);
    await sql`update queued_job_events set at = now() - interval '200 seconds'`;
    await sql`insert into webhook_positions (user_id, seq) values (${user.id}, 2)`;
  });
  after(() => services.close());

  const run = async (undelivered: UndeliveredLimits | null) => {
    const { database, queuedJobs } = services;
    const purge = createPurge({
      database,
      queuedJobs,
      eventTtlSeconds: 100,
      undelivered,
      log: silentLog,
    });
    const { events, lagSeconds } = await purge.run();
    return { events, isLate: lagSeconds.events > 0 };
  };

  it("keeps what no webhook has delivered, and is not late then", async () => {
    assert.deepEqual(await run(LIMITS), { events: 2, isLate: true });
    assert.deepEqual(await run(LIMITS), { events: 0, isLate: false });
    await services.database.sql`update webhook_positions set seq = 4`;
    assert.deepEqual(await run(LIMITS), { events: 2, isLate: true });
  });

  it("keeps it up to a bounded size", async () => {
    assert.equal((await run({ ...LIMITS, maxRecordedBytes: 1 })).events, 5);
  });

  it("keeps it for a bounded time", async () => {
    assert.equal((await run({ ...LIMITS, keptSeconds: 150 })).events, 5);
  });

  it("keeps nothing longer without webhooks, or without a position", async () => {
    assert.equal((await run(null)).events, 5);
    await services.submitMany(user, [{}]);
    await services.database.sql`update queued_job_events set at = now() - interval '200 seconds'`;
    await services.database.sql`delete from webhook_positions`;
    assert.equal((await run(LIMITS)).events, 1);
  });
});
