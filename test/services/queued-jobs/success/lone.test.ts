import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

/** Shorter than the lock timeout of a statement that does not use `briefLocks`. */
const MAX_WAIT_MS = 3500;

describe("a lone success that waits for a locked row", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());

  it("holds up neither claims nor successes of others, and is recorded afterwards", async () => {
    const [ann, bob] = [await services.newUser(), await services.newUser()];
    const claimOf = async (user: typeof ann) => services.start(await services.submit(user));
    const [one, running] = [await claimOf(ann), await claimOf(bob)];
    let own: Promise<boolean> = Promise.resolve(false);
    await services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${one.id} for update`;
      own = services.queuedJobs.succeed(one, "done", []);
      await waitsForLock(services.database.sql);
      const startedAt = performance.now();
      await claimOf(bob);
      assert.equal(await services.queuedJobs.succeed(running, "done", []), true);
      assert.ok(performance.now() - startedAt < MAX_WAIT_MS);
    });
    assert.equal(await own, true);
  });
});
