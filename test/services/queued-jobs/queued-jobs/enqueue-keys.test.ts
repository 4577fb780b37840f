import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import stableStringify from "safe-stable-stringify";
import { z } from "zod";
import type { Submission } from "../../../../src/services/queued-jobs/check-submission.js";
import type { User } from "../../../../src/services/users/users.js";
import { echo } from "../../../../src/tasks/echo/task.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("idempotency keys", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const conflict = {
    code: "IDEMPOTENCY_CONFLICT",
    message: 'The idempotency key "k" was used with other arguments; use a new key.',
  };
  const eventCountOf = (someone: User) =>
    services.published.filter(({ queuedJob }) => queuedJob.userId === someone.id).length;

  it("return the first submission, without a row, an event or a hint", async () => {
    const first = await services.submit(user, { idempotencyKey: "k" });
    const [before_, eventCount, hints] = [
      await services.everythingOf(user),
      services.published.length,
      services.hinted.length,
    ];
    assert.deepEqual(await services.submit(user, { idempotencyKey: "k" }), first);
    assert.deepEqual(
      [await services.everythingOf(user), services.published.length, services.hinted.length],
      [before_, eventCount, hints],
    );
  });

  it("return the first submission in its current state", async () => {
    const finished = await services.finished(user, { idempotencyKey: "k" });
    assert.equal(finished.status, "SUCCESS");
    assert.deepEqual(await services.submit(user, { idempotencyKey: "k" }), finished);
  });

  it("match the same arguments in another order, with explicit defaults", async () => {
    const { id: photoId } = await services.newPhoto(user);
    const first = await services.submit(user, {
      idempotencyKey: "k",
      job: "album",
      photoIds: [photoId],
    });
    assert.equal(
      (
        await services.submit(user, {
          idempotencyKey: "k",
          job: "album",
          photoIds: [photoId.toUpperCase()],
          parameters: { title: "untitled" },
        })
      ).id,
      first.id,
    );
    const deep = await services.submit(user, {
      idempotencyKey: "deep",
      parameters: { message: { a: 1, b: 2 }, steps: 1 },
    });
    assert.equal(
      (
        await services.submit(user, {
          idempotencyKey: "deep",
          parameters: { steps: 1, message: { b: 2, a: 1 } },
        })
      ).id,
      deep.id,
    );
  });

  it("match the same arguments when a later release adds a new default", async () => {
    const first = await services.submit(user, { idempotencyKey: "k", parameters: { message: 1 } });
    services.catalogue.set("echo", {
      ...echo,
      parameters: echo.parameters.extend({ tint: z.string().default("none") }),
    });
    try {
      assert.equal(
        (await services.submit(user, { idempotencyKey: "k", parameters: { message: 1 } })).id,
        first.id,
      );
      assert.deepEqual(
        await refusalOf(services.submit(user, { idempotencyKey: "k", parameters: { message: 2 } })),
        conflict,
      );
    } finally {
      services.catalogue.set("echo", echo);
    }
  });

  it("match the same arguments in a row that hashes only the validated ones", async () => {
    const { id } = await services.submit(user, { idempotencyKey: "k", parameters: { message: 1 } });
    const validated = {
      message: 1,
      durationMs: 0,
      steps: 0,
      failAttempts: 0,
      failPermanently: false,
    };
    const args = { job: "echo", parameters: validated, photoIds: [], priority: 0, runAt: null };
    const earlier = createHash("sha256")
      .update(stableStringify(args) ?? "")
      .digest("hex");
    await services.database.sql`update queued_jobs set fingerprint = ${earlier} where id = ${id}`;
    assert.equal(
      (await services.submit(user, { idempotencyKey: "k", parameters: { message: 1 } })).id,
      id,
    );
    assert.deepEqual(
      await refusalOf(services.submit(user, { idempotencyKey: "k", parameters: { message: 2 } })),
      conflict,
    );
  });

  const others: [what: string, more: Partial<Submission>][] = [
    ["parameters", { parameters: { message: 2 } }],
    ["a priority", { priority: 1 }],
    ["a run time", { runAt: new Date(0) }],
  ];
  for (const [what, more] of others) {
    it(`refuse ${what} that the first submission did not have`, async () => {
      await services.submit(user, { idempotencyKey: "k", parameters: { message: 1 } });
      assert.deepEqual(
        await refusalOf(
          services.submit(user, { idempotencyKey: "k", parameters: { message: 1 }, ...more }),
        ),
        conflict,
      );
    });
  }

  it("refuse another Job and other photos", async () => {
    const [a, b] = [await services.newPhoto(user), await services.newPhoto(user)];
    await services.submit(user, { idempotencyKey: "k", job: "metadata", photoIds: [a.id] });
    assert.deepEqual(
      await refusalOf(
        services.submit(user, { idempotencyKey: "k", job: "metadata", photoIds: [b.id] }),
      ),
      conflict,
    );
    assert.deepEqual(
      await refusalOf(
        services.submit(user, { idempotencyKey: "k", job: "placeholder", photoIds: [a.id] }),
      ),
      conflict,
    );
  });

  it("still return the first submission when its photo was deleted", async () => {
    const photo = await services.newPhoto(user);
    const submission = { idempotencyKey: "k", job: "metadata", photoIds: [photo.id] };
    const first = await services.finished(user, submission);
    await services.photos.remove(user.id, photo.id);
    assert.equal((await services.submit(user, submission)).id, first.id);
    const other = { job: "metadata", photoIds: [(await services.newPhoto(user)).id] };
    assert.equal((await services.submitMany(user, [other, submission]))[1]?.id, first.id);
  });

  it("are separate for each user", async () => {
    const other = await services.newUser();
    const [mine, theirs] = [
      await services.submit(user, { idempotencyKey: "k" }),
      await services.submit(other, { idempotencyKey: "k", priority: 3 }),
    ];
    assert.notEqual(mine.id, theirs.id);
    assert.equal(theirs.userId, other.id);
  });

  it("are free again after the QueuedJob is deleted", async () => {
    const first = await services.finished(user, { idempotencyKey: "k" });
    await services.queuedJobs.remove(user, first.id);
    const second = await services.submit(user, { idempotencyKey: "k", priority: 5 });
    assert.notEqual(second.id, first.id);
    assert.equal(second.version, 1);
  });

  it("may be old and new in one batch", async () => {
    const old = await services.submit(user, { idempotencyKey: "old" });
    const eventCount = eventCountOf(user);
    const batch = await services.submitMany(user, [
      { idempotencyKey: "new" },
      { idempotencyKey: "old" },
      {},
    ]);
    assert.equal(batch[1]?.id, old.id);
    assert.deepEqual(new Set(batch.map(({ id }) => id)).size, 3);
    assert.equal(eventCountOf(user) - eventCount, 2);
    assert.deepEqual(
      (await services.submitMany(user, [{ idempotencyKey: "old" }, { idempotencyKey: "new" }])).map(
        ({ id }) => id,
      ),
      [old.id, batch[0]?.id],
    );
  });

  it("refuse the whole batch when one of them conflicts", async () => {
    await services.submit(user, { idempotencyKey: "k" });
    const before_ = await services.everythingOf(user);
    assert.deepEqual(
      await refusalOf(
        services.submitMany(user, [
          { idempotencyKey: "new" },
          { idempotencyKey: "k", priority: 1 },
          {},
        ]),
      ),
      conflict,
    );
    assert.deepEqual(await services.everythingOf(user), before_);
  });

  it("may come twice in one batch, which makes one QueuedJob", async () => {
    const [a, b, c] = await services.submitMany(user, [
      { idempotencyKey: "k" },
      {},
      { idempotencyKey: "k" },
    ]);
    assert.deepEqual(c, a);
    assert.notEqual(b?.id, a?.id);
    assert.equal(eventCountOf(user), 2);
  });

  it("refuse a batch in which they come with different arguments", async () => {
    assert.deepEqual(
      await refusalOf(
        services.submitMany(user, [{ idempotencyKey: "k" }, { idempotencyKey: "k", priority: 1 }]),
      ),
      conflict,
    );
    assert.equal(eventCountOf(user), 0);
  });

  it("make one row, one event and one hint for 50 concurrent submissions", async () => {
    const hints = services.hinted.length;
    const all = await Promise.all(
      Array.from({ length: 50 }, () => services.submit(user, { idempotencyKey: "k" })),
    );
    assert.equal(new Set(all.map(({ id }) => id)).size, 1);
    const [{ n, seq } = { n: 0, seq: 0 }] = await services.database.sql<
      { n: number; seq: number }[]
    >`
      select (select count(*)::int from queued_jobs
        where user_id = ${user.id}) as n, last_seq::int as seq from user_streams
          where user_id = ${user.id}`;
    assert.deepEqual([n, seq, eventCountOf(user), services.hinted.length - hints], [1, 1, 1, 1]);
  });

  it("make one row each when concurrent batches have the same keys, reordered", async () => {
    const keys = Array.from({ length: 10 }, (_, i) => `key ${i}`);
    const batches = await Promise.all(
      [keys, keys.toReversed(), keys.slice(3), keys.slice(0, 7).toReversed()].map((some) =>
        services.submitMany(
          user,
          some.map((idempotencyKey) => ({ idempotencyKey })),
        ),
      ),
    );
    assert.equal(new Set(batches.flat().map(({ id }) => id)).size, 10);
    assert.equal(eventCountOf(user), 10);
  });

  it("refuse the loser of a race with other arguments", async () => {
    const outcomes = await Promise.all(
      [0, 1, 2, 3].map((priority) =>
        outcomeOf(services.submit(user, { idempotencyKey: "k", priority })),
      ),
    );
    assert.deepEqual(outcomes.toSorted(), [
      "IDEMPOTENCY_CONFLICT",
      "IDEMPOTENCY_CONFLICT",
      "IDEMPOTENCY_CONFLICT",
      "done",
    ]);
  });

  it("leave consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
