import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  createPurge,
  type Purge,
  type PurgeDeps,
} from "../../../src/services/maintenance/purge.js";
import type { User } from "../../../src/services/users/users.js";
import { insertUsersWithEvents } from "../../support/service/many-users.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestWaist, type TestWaist } from "../../support/service/test-waist.js";

const EVENT_TTL_SECONDS = 100.5;

describe("the purge", () => {
  let waist: TestWaist;
  let purge: Purge;
  let user: User;
  before(async () => {
    waist = await createTestWaist();
  });
  beforeEach(async () => {
    await waist.database.sql`truncate users, queued_job_events cascade`;
    user = await waist.newUser();
    purge = create();
  });
  after(() => waist.close());

  const create = (more: Partial<PurgeDeps> = {}) =>
    createPurge({
      database: waist.database,
      queuedJobs: waist.queuedJobs,
      eventTtlSeconds: EVENT_TTL_SECONDS,
      log: silentLog,
      ...more,
    });
  /** The user's events up to a number are older than they are kept. */
  const age = (upTo: number, { id } = user) =>
    waist.database
      .sql`update queued_job_events set at = now() - interval '101 seconds' where user_id = ${id}
        and seq <= ${upTo}`;

  const removed = async (one = purge) => {
    const { queuedJobs, events } = await one.run();
    return { queuedJobs, events };
  };
  const countEvents = async () =>
    Number((await waist.database.sql`select count(*) as n from queued_job_events`)[0]?.["n"]);
  const forgetUsers = () => waist.database.sql`delete from users where id <> ${user.id}`;

  it("of QueuedJobs deletes what has been kept for its time, as its owner would", async () => {
    const [old, kept] = [await waist.finished(user), await waist.finished(user)];
    await waist.database
      .sql`update queued_jobs set expires_at = now() - interval '1 second' where id = ${old.id}`;
    assert.deepEqual(await removed(), { queuedJobs: 1, events: 0 });
    assert.deepEqual(
      [await waist.queuedJobs.find(user, old.id), (await waist.queuedJobs.find(user, kept.id))?.id],
      [null, kept.id],
    );
    assert.equal(waist.rung.at(-1)?.type, "DELETED");
  });

  it(
    "gives QueuedJobs and events their share of each run, however much there is of one of " +
      "them",
    async () => {
      await insertUsersWithEvents(waist.database.sql, {
        users: 50,
        events: 100,
        at: "now() - interval '101 seconds'",
      });
      const endless = { removeExpired: async (limit: number) => (await pause(20), limit) };
      const { queuedJobs, events } = await create({ queuedJobs: endless, runMs: 1500 }).run();
      assert.equal(events, 5000);
      assert.ok(queuedJobs > 200, `${queuedJobs}`);
      await forgetUsers();
    },
  );

  it("goes on with events when QueuedJobs cannot be removed, and fails at its end", async () => {
    await waist.submit(user);
    await age(1);
    const broken = create({
      queuedJobs: { removeExpired: () => Promise.reject(new TypeError("a bug")) },
    });
    await assert.rejects(broken.run(), { message: "a bug" });
    assert.equal(await countEvents(), 0);
  });

  it("says how late the oldest of each was", async () => {
    await waist.submit(user);
    const { id } = await waist.finished(user);
    await waist.database
      .sql`update queued_jobs set expires_at = now() - interval '7 seconds' where id = ${id}`;
    await waist.database
      .sql`update queued_job_events set at = now() - interval '110.5 seconds' where seq = 1`;
    const { lagSeconds } = await purge.run();
    assert.ok(
      lagSeconds.queuedJobs >= 7 && lagSeconds.queuedJobs < 9,
      String(lagSeconds.queuedJobs),
    );
    assert.ok(lagSeconds.events >= 10 && lagSeconds.events < 12, String(lagSeconds.events));
    assert.deepEqual((await purge.run()).lagSeconds, { queuedJobs: 0, events: 0 });
  });
});
