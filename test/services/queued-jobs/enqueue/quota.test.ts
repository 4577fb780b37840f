import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("the quota of unfinished QueuedJobs", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices({ maxPending: 20 });
  });
  after(() => services.close());
  const overQuota = {
    code: "QUOTA_EXCEEDED",
    message: "Quota exceeded: at most 20 unfinished QueuedJobs per user; wait until some finish.",
    retryAfterMs: 5000,
  };

  it("is exact for 200 concurrent submissions", async () => {
    const user = await services.newUser();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => outcomeOf(services.submit(user))),
    );
    assert.deepEqual(outcomes.toSorted(), [
      ...Array.from({ length: 180 }, () => "QUOTA_EXCEEDED"),
      ...Array.from({ length: 20 }, () => "done"),
    ]);
    assert.deepEqual(
      services.published
        .filter(({ queuedJob }) => queuedJob.userId === user.id)
        .map(({ seq }) => seq)
        .toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    await assertConsistent(services.database.sql);
  });

  it("accepts a whole batch or nothing of it", async () => {
    const user = await services.newUser();
    await services.submitMany(
      user,
      Array.from({ length: 15 }, () => ({})),
    );
    const before_ = await services.everythingOf(user);
    assert.deepEqual(
      await refusalOf(
        services.submitMany(
          user,
          Array.from({ length: 6 }, () => ({})),
        ),
      ),
      overQuota,
    );
    assert.deepEqual(await services.everythingOf(user), before_);
    assert.equal(
      (
        await services.submitMany(
          user,
          Array.from({ length: 5 }, () => ({})),
        )
      ).length,
      5,
    );
  });

  it("refuses a key without a trace, and still returns an earlier submission", async () => {
    const user = await services.newUser();
    const first = await services.submit(user, { idempotencyKey: "first" });
    await services.submitMany(
      user,
      Array.from({ length: 19 }, () => ({})),
    );
    const before_ = await services.everythingOf(user);
    assert.deepEqual(
      await refusalOf(services.submit(user, { idempotencyKey: "second" })),
      overQuota,
    );
    assert.deepEqual(await services.everythingOf(user), before_);
    assert.equal((await services.submit(user, { idempotencyKey: "first" })).id, first.id);
  });

  it("has room again after each QueuedJob that finishes in any way", async () => {
    const user = await services.newUser();
    const queuedJobs = await services.submitMany(
      user,
      Array.from({ length: 20 }, () => ({})),
    );
    const [a, b, c] = queuedJobs;
    assert.ok(a && b && c);
    await services.queuedJobs.cancel(user, a.id);
    await services.queuedJobs.succeed(await services.start(b), null, []);
    await services.queuedJobs.fail(await services.start(c), {
      code: "TASK_FAILED",
      message: "No.",
      permanent: true,
    });
    await services.submitMany(user, [{}, {}, {}]);
    assert.deepEqual(await refusalOf(services.submit(user)), overQuota);
  });

  it("is separate for each user", async () => {
    const [full, other] = [await services.newUser(), await services.newUser()];
    await services.submitMany(
      full,
      Array.from({ length: 20 }, () => ({})),
    );
    assert.equal((await services.submit(other)).status, "PENDING");
  });
});
