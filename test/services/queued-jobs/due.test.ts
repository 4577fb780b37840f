import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { backlogsOf } from "../../../src/services/queued-jobs/due.js";
import type { User } from "../../../src/services/users.js";
import { createTestWaist } from "../../support/test-waist.js";
import type { TestWaist } from "../../support/test-waist.js";

describe("what the reconciler finds", () => {
  let waist: TestWaist;
  let user: User;
  before(async () => {
    waist = await createTestWaist();
  });
  beforeEach(async () => {
    await waist.database.sql`delete from queued_jobs`;
    waist.offered.length = 0;
    user = await waist.newUser();
  });
  after(() => waist.close());
  /** As if the row had not been touched for 6 s. */
  const age = (...ids: string[]) => waist.database.sql`update queued_jobs set updated_at = now() - interval '6 seconds' where id = any(${ids})`;
  const offeredIds = () => waist.offered.map(({ id }) => id);

  it("is no row that was touched a moment ago: its hint is on its way", async () => {
    await waist.submit(user);
    assert.equal(await waist.queuedJobs.hintDue(10), 0);
    assert.deepEqual(waist.offered, []);
  });

  it("is a row that has waited, with all that its hint needs", async () => {
    const photo = await waist.newPhoto(user);
    const queuedJob = await waist.submit(user, { job: "metadata", photoIds: [photo.id], priority: 4 });
    await waist.queuedJobs.handBack(await waist.start(queuedJob), 0);
    await age(queuedJob.id);
    assert.equal(await waist.queuedJobs.hintDue(10), 1);
    const [hint] = waist.offered;
    assert.deepEqual([hint?.id, hint?.run, hint?.requestId, hint?.lane, hint?.priority, hint?.delayMs], [queuedJob.id, 2, "request", "child", 4, 0]);
  });

  it("is one that will be due within a minute, with what is left of its delay, and none that is due later", async () => {
    const [soon, later] = [await waist.submit(user, { runAt: new Date(Date.now() + 40_000) }), await waist.submit(user, { runAt: new Date(Date.now() + 90_000) })];
    await age(soon.id, later.id);
    assert.equal(await waist.queuedJobs.hintDue(10), 1);
    assert.deepEqual(offeredIds(), [soon.id]);
    const delayMs = waist.offered[0]?.delayMs ?? 0;
    assert.ok(delayMs > 30_000 && delayMs <= 40_000, String(delayMs));
  });

  it("is none that runs or has finished", async () => {
    const [running, cancelled, succeeded] = [await waist.submit(user), await waist.submit(user), await waist.finished(user)];
    await waist.start(running);
    await waist.queuedJobs.cancel(user, cancelled.id);
    await age(running.id, cancelled.id, succeeded.id);
    assert.equal(await waist.queuedJobs.hintDue(10), 0);
  });

  it("is the first of each owner before the second of any, and not more than asked for", async () => {
    const other = await waist.newUser();
    const mine = await waist.submitMany(user, [{}, { priority: 9 }, {}]);
    const theirs = await waist.submitMany(other, [{}]);
    await age(...[...mine, ...theirs].map(({ id }) => id));
    assert.equal(await waist.queuedJobs.hintDue(2), 2);
    assert.deepEqual(new Set(offeredIds()), new Set([mine[1]?.id, theirs[0]?.id]));
    waist.offered.length = 0;
    await waist.queuedJobs.hintDue(10);
    assert.deepEqual(offeredIds().slice(2), [mine[0]?.id, mine[2]?.id]);
  });

  it("is every row that waits, even one of this moment, when Redis has forgotten all hints", async () => {
    const { id } = await waist.submit(user);
    assert.equal(await waist.queuedJobs.hintDue(10, { patient: false }), 1);
    assert.deepEqual(offeredIds(), [id]);
  });

  it("is, to be removed, what has been kept for its time, oldest first and not more than asked for", async () => {
    const { sql } = waist.database;
    const [old, older, kept, waiting] = [await waist.finished(user), await waist.finished(user), await waist.finished(user), await waist.submit(user)];
    await sql`update queued_jobs set expires_at = now() - interval '1 minute' where id = ${old.id}`;
    await sql`update queued_jobs set expires_at = now() - interval '1 hour' where id = ${older.id}`;
    assert.equal(await waist.queuedJobs.removeExpired(1), 1);
    assert.deepEqual([waist.rung.at(-1)?.type, waist.rung.at(-1)?.queuedJob.id], ["DELETED", older.id]);
    assert.deepEqual([await waist.queuedJobs.removeExpired(10), await waist.queuedJobs.removeExpired(10)], [1, 0]);
    const left = await Promise.all([old, older, kept, waiting].map(async ({ id }) => (await waist.queuedJobs.find(user, id)) !== null));
    assert.deepEqual(left, [false, false, true, true]);
  });

  it("counts as backlog what is unfinished, its owner's and of at least its priority", async () => {
    const other = await waist.newUser();
    await waist.submitMany(other, [{ priority: 100 }, { priority: 100 }]);
    const [low, high] = await waist.submitMany(user, [{ priority: 1 }, { priority: 5 }, { priority: 5 }, { priority: 7 }]);
    const running = await waist.submit(user, { priority: 9 });
    await waist.start(running);
    await waist.queuedJobs.cancel(user, (await waist.submit(user, { priority: 9 })).id);
    assert.ok(low && high);
    assert.deepEqual(await backlogsOf(waist.database.sql, [low, high, low]), [5, 4, 5]);
  });
});
