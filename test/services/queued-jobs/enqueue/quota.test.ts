import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestWaist, type TestWaist } from "../../../support/service/test-waist.js";

describe("the quota of unfinished QueuedJobs", () => {
  let waist: TestWaist;
  before(async () => {
    waist = await createTestWaist({ maxPending: 20 });
  });
  after(() => waist.close());
  const overQuota = {
    code: "QUOTA_EXCEEDED",
    message: "You have 20 unfinished QueuedJobs at most; wait until some have finished.",
    retryAfterMs: 5000,
  };

  it("is exact among 200 who submit at once", async () => {
    const user = await waist.newUser();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => outcomeOf(waist.submit(user))),
    );
    assert.deepEqual(outcomes.toSorted(), [
      ...Array.from({ length: 180 }, () => "QUOTA_EXCEEDED"),
      ...Array.from({ length: 20 }, () => "done"),
    ]);
    assert.deepEqual(
      waist.rung
        .filter(({ queuedJob }) => queuedJob.userId === user.id)
        .map(({ seq }) => seq)
        .toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    await assertConsistent(waist.database.sql);
  });

  it("lets all of a batch in or none", async () => {
    const user = await waist.newUser();
    await waist.submitMany(
      user,
      Array.from({ length: 15 }, () => ({})),
    );
    const before_ = await waist.everythingOf(user);
    assert.deepEqual(
      await refusalOf(
        waist.submitMany(
          user,
          Array.from({ length: 6 }, () => ({})),
        ),
      ),
      overQuota,
    );
    assert.deepEqual(await waist.everythingOf(user), before_);
    assert.equal(
      (
        await waist.submitMany(
          user,
          Array.from({ length: 5 }, () => ({})),
        )
      ).length,
      5,
    );
  });

  it(
    "leaves nothing of a submission with a key that it refuses, and still gives back an " +
      "earlier one",
    async () => {
      const user = await waist.newUser();
      const first = await waist.submit(user, { idempotencyKey: "first" });
      await waist.submitMany(
        user,
        Array.from({ length: 19 }, () => ({})),
      );
      const before_ = await waist.everythingOf(user);
      assert.deepEqual(
        await refusalOf(waist.submit(user, { idempotencyKey: "second" })),
        overQuota,
      );
      assert.deepEqual(await waist.everythingOf(user), before_);
      assert.equal((await waist.submit(user, { idempotencyKey: "first" })).id, first.id);
    },
  );

  it("has room again for each one that finishes, however it does", async () => {
    const user = await waist.newUser();
    const queuedJobs = await waist.submitMany(
      user,
      Array.from({ length: 20 }, () => ({})),
    );
    const [a, b, c] = queuedJobs;
    assert.ok(a && b && c);
    await waist.queuedJobs.cancel(user, a.id);
    await waist.queuedJobs.succeed(await waist.start(b), null, []);
    await waist.queuedJobs.fail(await waist.start(c), {
      code: "TASK_FAILED",
      message: "No.",
      permanent: true,
    });
    await waist.submitMany(user, [{}, {}, {}]);
    assert.deepEqual(await refusalOf(waist.submit(user)), overQuota);
  });

  it("is one's own", async () => {
    const [full, other] = [await waist.newUser(), await waist.newUser()];
    await waist.submitMany(
      full,
      Array.from({ length: 20 }, () => ({})),
    );
    assert.equal((await waist.submit(other)).status, "PENDING");
  });
});
