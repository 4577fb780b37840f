import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Sql } from "postgres";
import { sqlState } from "../../../../src/db/database.js";
import { OVER_QUOTA } from "../../../../src/db/refusals.js";
import { toNewQueuedJob } from "../../../../src/services/queued-jobs/check-submission.js";
import { insertUnits, type Unit } from "../../../../src/services/queued-jobs/insert.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { submissionOf } from "../../../support/service/submission-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

const MOST = 5;
const LIMITS = { maxPending: MOST, maxRecordedBytes: 1e9 };

describe("units in one statement", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });
  const unitOf = (user: User, size: number): Unit => ({
    userId: user.id,
    requestId: "request",
    items: Array.from({ length: size }, () => toNewQueuedJob(submissionOf(), {})),
  });
  const insert = (...units: Unit[]) => insertUnits(services.database.sql, units, LIMITS);
  const sizes = async (inserting: ReturnType<typeof insert>) =>
    (await inserting).map((steps) => steps?.length ?? null);

  it("leave out a unit without room after the earlier ones, and accept the others", async () => {
    const [ann, bob] = [await services.newUser(), await services.newUser()];
    assert.deepEqual(
      await sizes(insert(unitOf(ann, 3), unitOf(bob, 6), unitOf(ann, 3), unitOf(bob, 5))),
      [3, null, null, null],
    );
    assert.deepEqual(await sizes(insert(unitOf(ann, 2), unitOf(bob, 5))), [2, 5]);
  });

  it("fail together and leave nothing when the room goes while they wait", async () => {
    const { sql } = services.database;
    const user = await services.newUser();
    let inserting: Promise<unknown> = Promise.resolve();
    await services.submitMany(user, [{}, {}]);
    await sql.begin(async (tx) => {
      await insertUnits(tx as unknown as Sql, [unitOf(user, 2)], LIMITS);
      inserting = insert(unitOf(user, 2)).then(() => "inserted", sqlState);
      await waitsForLock(sql);
    });
    assert.equal(await inserting, OVER_QUOTA);
    assert.equal((await services.users.counters(user.id)).pending, 4);
  });

  it("lock the counters of their users by id, so that they never deadlock", async () => {
    const { sql } = services.database;
    const users = await Promise.all([1, 2, 3].map(() => services.newUser()));
    const [first, ...others] = users.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const last = others.at(-1) ?? assert.fail();
    let inserting: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${last.id} for update`;
      inserting = insert(...[...others, first ?? assert.fail()].map((user) => unitOf(user, 1)));
      await waitsForLock(sql);
      await assert.rejects(
        sql`select from user_streams where user_id = ${first?.id ?? ""} for update nowait`,
        { code: "55P03" },
      );
    });
    await inserting;
  });
});
