import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Sql } from "postgres";
import { sqlState } from "../../../../src/db/database.js";
import { ALREADY_THERE, OVER_QUOTA } from "../../../../src/db/refusals.js";
import {
  toNewQueuedJob,
  type Submission,
} from "../../../../src/services/queued-jobs/check-submission.js";
import { insertOne, insertUnits } from "../../../../src/services/queued-jobs/insert.js";
import type { Step } from "../../../../src/services/queued-jobs/statements.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { submissionOf } from "../../../support/service/submission-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { waitsForLock } from "../../../support/stores/waits-for-lock.js";

const MOST = 3;
const LIMITS = { maxPending: MOST, maxRecordedBytes: 1e9 };

describe("a submission in its own statement", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(async () => {
    await assertConsistent(services.database.sql);
    await services.close();
  });
  const unitOf = (user: User) => ({
    userId: user.id,
    requestId: "request",
    traceparent: "00-1-2-01",
  });
  const itemOf = (more: Partial<Submission> = {}) =>
    toNewQueuedJob(submissionOf({ priority: 5, ...more }), { message: { deep: ["ä", null, 1.5] } });
  const insert = (user: User, item = itemOf(), sql: Sql = services.database.sql) =>
    insertOne(sql, unitOf(user), item, LIMITS);

  it("leaves the same rows, counters and events as in a batch", async () => {
    const user = await services.newUser();
    const photos = [await services.newPhoto(user), await services.newPhoto(user)].map(
      ({ id }) => id,
    );
    const [alone, beside] = [1, 2].map(() =>
      itemOf({
        photoIds: photos,
        idempotencyKey: crypto.randomUUID(),
        runAt: new Date(Date.now() + 60_000),
      }),
    );
    const one = await insert(user, alone ?? assert.fail());
    const [many] = await insertUnits(
      services.database.sql,
      [{ ...unitOf(user), items: [beside ?? assert.fail()] }],
      LIMITS,
    );
    const same = ({ seq, at: _, pending, queuedJob, ...rest }: Step) => ({
      ...rest,
      seq: seq - pending,
      queuedJob: { ...queuedJob, id: "", createdAt: "", updatedAt: "", runAt: "" },
    });
    assert.deepEqual(same(one ?? assert.fail()), same(many?.[0] ?? assert.fail()));
    assert.deepEqual([one?.pending, many?.[0]?.pending], [1, 2]);
    const rows = await services.database.sql`
      select t.id, t.status, t.priority, t.fresh, t.request_id, t.fingerprint is null as plain,
        t.due_at = t.run_at as due, (select array_agg(photo_id order by position)
        from queued_job_photos where queued_job_id = t.id) as photos
      from queued_jobs t where t.user_id = ${user.id} order by t.id = ${alone?.id ?? ""} desc`;
    assert.deepEqual({ ...rows[0], id: "", photos }, { ...rows[1], id: "", photos });
    assert.deepEqual(rows[0]?.["photos"], photos);
  });

  it("is left out when there is no room for it", async () => {
    const user = await services.newUser();
    for (let i = 0; i < MOST; i++) assert.ok(await insert(user));
    assert.equal(await insert(user), null);
    assert.equal((await services.users.counters(user.id)).pending, MOST);
  });

  it("leaves nothing when its key is taken, or when the room goes while it waits", async () => {
    const user = await services.newUser();
    const { sql } = services.database;
    const idempotencyKey = crypto.randomUUID();
    assert.ok(await insert(user, itemOf({ idempotencyKey })));
    await assert.rejects(
      insert(user, itemOf({ idempotencyKey })),
      (error) => sqlState(error) === ALREADY_THERE,
    );
    let inserting: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      for (let i = 1; i < MOST; i++) await insert(user, itemOf(), tx as unknown as Sql);
      inserting = insert(user).then(() => "inserted", sqlState);
      await waitsForLock(sql);
    });
    assert.equal(await inserting, OVER_QUOTA);
    assert.equal((await services.users.counters(user.id)).pending, MOST);
  });
});
