import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TransactionSql } from "postgres";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

const MOST = 20;

describe("concurrent submissions", () => {
  let services: TestServices;
  /** A core with room for more than one batch. */
  let roomy: TestServices;
  before(async () => {
    [services, roomy] = await Promise.all([
      createTestServices({ maxPending: MOST }),
      createTestServices(),
    ]);
  });
  after(async () => {
    for (const { database, close } of [services, roomy]) {
      await assertConsistent(database.sql);
      await close();
    }
  });

  /**
   * Runs `submit` while a first submission of the user waits for the counter. All further
   * submissions then form one batch.
   */
  async function behindAnother<T>(
    user: User,
    submit: () => Promise<T>,
    duringWait: (tx: TransactionSql) => Promise<unknown> = async () => {},
    { database: { sql }, submit: submitFirst } = services,
  ): Promise<T> {
    let [first, others]: Promise<unknown>[] = [];
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${user.id} for update`;
      await duringWait(tx);
      first = submitFirst(user);
      await waitsForLock(sql);
      others = submit();
      // When these reads have returned, all earlier reads of the submissions have returned too.
      for (let i = 0; i < 20; i++) await sql`select 1`;
    });
    await first;
    return (await others) as T;
  }

  it("share one statement and one notification, and have separate hints", async () => {
    const user = await services.newUser();
    const [notifications, hints] = [services.notifications.length, services.hinted.length];
    const queuedJobs = await behindAnother(user, () =>
      Promise.all(
        Array.from({ length: 12 }, (_, i) => services.submit(user, { parameters: { message: i } })),
      ),
    );
    assert.deepEqual(
      queuedJobs.map(({ parameters }) => parameters["message"]),
      Array.from({ length: 12 }, (_, i) => i),
    );
    assert.deepEqual(services.notifications.slice(notifications), [1, 12]);
    assert.equal(
      (
        await services.database
          .sql`select from queued_jobs where user_id = ${user.id} group by xmin`
      ).length,
      2,
    );
    assert.deepEqual(
      services.hinted.slice(hints).map(({ backlog }) => backlog),
      Array.from({ length: 13 }, (_, i) => i + 1),
    );
    assertCompleteStream(services, user);
  });

  it("are not affected by one whose photo is deleted at the same time", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    const outcomes = await behindAnother(
      user,
      () =>
        Promise.all(
          [{}, { job: "album", photoIds: [photo.id] }, {}].map((submission) =>
            outcomeOf(services.submit(user, submission)),
          ),
        ),
      async (tx) => {
        await tx`delete from photos where id = ${photo.id}`;
        await tx`update user_streams set stored_bytes = stored_bytes - ${photo.byteSize}
          where user_id = ${user.id}`;
      },
    );
    assert.deepEqual(outcomes, ["done", "BAD_USER_INPUT", "done"]);
  });

  /** The number of statements that wrote the rows of the user. */
  const statementsOf = async (user: User, { database: { sql } } = services) =>
    (await sql`select from queued_jobs where user_id = ${user.id} group by xmin`).length;
  const keyed = (...keys: string[]) => keys.map((idempotencyKey) => ({ idempotencyKey }));

  it("stay in one batch beside units that share a key other than their first", async () => {
    const user = await services.newUser();
    const units = [
      keyed("a", "shared"),
      keyed("b", "shared"),
      ...Array.from({ length: 8 }, () => [{}]),
    ];
    const accepted = await behindAnother(user, () =>
      Promise.all(units.map((unit) => services.submitMany(user, unit))),
    );
    assert.equal(accepted[0]?.[1]?.id, accepted[1]?.[1]?.id);
    assert.equal(
      await statementsOf(user),
      3,
      "the first one, the whole batch, and the own key of the second unit",
    );
  });

  it("stay in one batch beside one whose key the previous batch has taken", async () => {
    const user = await roomy.newUser();
    // All have keys, so that they reach the batches in this order.
    const others = Array.from({ length: 108 }, (_, i) => keyed(`other ${i}`));
    const units = [keyed("shared"), ...others.slice(0, 99), keyed("shared"), ...others.slice(99)];
    const accepted = await behindAnother(
      user,
      () => Promise.all(units.map((unit) => roomy.submitMany(user, unit))),
      undefined,
      roomy,
    );
    assert.equal(accepted[0]?.[0]?.id, accepted[100]?.[0]?.id);
    assert.equal(await statementsOf(user, roomy), 3, "the first one and two batches");
  });

  it("fill the remaining room, also after a large one that does not fit", async () => {
    const user = await services.newUser();
    const units = [10, 10, 5, 4];
    const outcomes = await behindAnother(user, () =>
      Promise.all(
        units.map((size) =>
          outcomeOf(
            services.submitMany(
              user,
              Array.from({ length: size }, () => ({})),
            ),
          ),
        ),
      ),
    );
    assert.deepEqual(outcomes, ["done", "QUOTA_EXCEEDED", "done", "done"]);
  });

  it("are accepted for other users while one user's counter is locked", async () => {
    const { sql } = services.database;
    const [held, ...others] = await Promise.all(
      Array.from({ length: 13 }, () => services.newUser()),
    );
    let own: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${held?.id ?? ""} for update`;
      own = Promise.all([1, 2].map(() => services.submit(held ?? assert.fail())));
      assert.equal((await Promise.all(others.map((user) => services.submit(user)))).length, 12);
    });
    await own;
    for (const user of [held, ...others]) assertCompleteStream(services, user);
  });

  it("are exact for each of many users, with repeated keys and deleted accounts", async () => {
    const users = await Promise.all(Array.from({ length: 12 }, () => services.newUser()));
    const gone = await services.newUser();
    await services.database.sql`delete from users where id = ${gone.id}`;
    const submissions = Array.from({ length: 30 }, (_, i) =>
      [...users, gone].map((user) =>
        outcomeOf(services.submit(user, { idempotencyKey: `key ${i % 25}` })),
      ),
    ).flat();
    const outcomes = await Promise.all(submissions);
    assert.equal(outcomes.filter((outcome) => outcome === "UNAUTHENTICATED").length, 30);
    for (const user of users) {
      const published = services.published.filter(({ queuedJob }) => queuedJob.userId === user.id);
      assert.deepEqual(
        published.map(({ seq }) => seq).toSorted((a, b) => a - b),
        Array.from({ length: MOST }, (_, i) => i + 1),
      );
    }
  });
});
