import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  createPurge,
  type Purge,
  type PurgeDeps,
} from "../../../src/services/maintenance/purge.js";
import type { User } from "../../../src/services/users/users.js";
import { groupOf } from "../../support/service/group-of.js";
import { insertUsersWithEvents } from "../../support/service/many-users.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const EVENT_TTL_SECONDS = 100.5;

describe("the purge", () => {
  let services: TestServices;
  let purge: Purge;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events cascade`;
    user = await services.newUser();
    purge = create();
  });
  after(() => services.close());

  const create = (more: Partial<PurgeDeps> = {}) =>
    createPurge({
      database: services.database,
      queuedJobs: services.queuedJobs,
      eventTtlSeconds: EVENT_TTL_SECONDS,
      log: silentLog,
      ...more,
    });
  /** Makes the user's events up to a number older than their time to live. */
  const age = (upTo: number, { id } = user) =>
    services.database
      .sql`update queued_job_events set at = now() - interval '101 seconds' where user_id = ${id}
        and seq <= ${upTo}`;

  const removed = async (one = purge) => {
    const { queuedJobs, events } = await one.run();
    return { queuedJobs, events };
  };
  const countEvents = async () =>
    Number((await services.database.sql`select count(*) as n from queued_job_events`)[0]?.["n"]);
  const forgetUsers = () => services.database.sql`delete from users where id <> ${user.id}`;

  it("of QueuedJobs deletes expired ones, as their owner would", async () => {
    const [old, kept] = [await services.finished(user), await services.finished(user)];
    await services.database
      .sql`update queued_jobs set expires_at = now() - interval '1 second' where id = ${old.id}`;
    assert.deepEqual(await removed(), { queuedJobs: 1, events: 0 });
    assert.deepEqual(
      [
        await services.queuedJobs.find(user, old.id),
        (await services.queuedJobs.find(user, kept.id))?.id,
      ],
      [null, kept.id],
    );
    assert.equal(services.published.at(-1)?.type, "DELETED");
  });

  it("gives QueuedJobs and events a share of each run, however many there are", async () => {
    await insertUsersWithEvents(services.database.sql, {
      users: 50,
      events: 100,
      at: "now() - interval '101 seconds'",
    });
    const endless = { removeExpired: async (limit: number) => (await pause(20), limit) };
    const { queuedJobs, events } = await create({ queuedJobs: endless, runMs: 1500 }).run();
    assert.equal(events, 5000);
    assert.ok(queuedJobs > 200, `${queuedJobs}`);
    await forgetUsers();
  });

  /** Counts the batches of a run for each lag of the oldest row, with a purge that keeps the row. */
  async function batchesWhenLateBy(
    lags: number[],
    { removeExpired, runMs }: { removeExpired: (limit: number) => Promise<number>; runMs?: number },
  ): Promise<number[]> {
    const { id } = await services.finished(user);
    let batches = 0;
    const queuedJobs = { removeExpired: (limit: number) => (batches++, removeExpired(limit)) };
    const late = create({ queuedJobs, ...(runMs && { runMs }) });
    const seen: number[] = [];
    for (const seconds of lags) {
      batches = 0;
      await services.database.sql`update queued_jobs
        set expires_at = now() - ${seconds} * interval '1 second' where id = ${id}`;
      await late.run();
      seen.push(batches);
    }
    return seen;
  }

  it("uses a second lane from when its backlog grows until it is on time again", async () => {
    const lags = [1000, 900, 900.5, 500, 10, 5];
    const lanes = await batchesWhenLateBy(lags, { removeExpired: async () => 0 });
    assert.deepEqual(lanes, [1, 1, 2, 2, 1, 1]);
  });

  it("rests between batches of a backlog that was there or came at once, until it grows", async () => {
    const removeExpired = async (limit: number) => (await pause(20), limit);
    const lags = [1000, 1000.5, 10, 2000];
    const seen = await batchesWhenLateBy(lags, { removeExpired, runMs: 600 });
    // Without rests there would be 30 per lane.
    const [old = 0, grown = 0, onTime = 0, sudden = 0] = seen;
    assert.ok(old >= 2 && old <= 15 && sudden >= 2 && sudden <= 15, seen.join(", "));
    assert.ok(onTime > old && grown > onTime, seen.join(", "));
  });

  it("continues with events when QueuedJobs cannot be removed, and fails at the end", async () => {
    await services.submit(user);
    await age(1);
    const broken = create({
      queuedJobs: { removeExpired: () => Promise.reject(new TypeError("a bug")) },
    });
    await assert.rejects(broken.run(), { message: "a bug" });
    assert.equal(await countEvents(), 0);
  });

  it("reports the lag of the oldest of each kind", async () => {
    await services.submit(user);
    const { id } = await services.finished(user);
    await services.database
      .sql`update queued_jobs set expires_at = now() - interval '7 seconds' where id = ${id}`;
    await services.database
      .sql`update queued_job_events set at = now() - interval '110.5 seconds' where seq = 1`;
    const group = { submission: groupOf({ a: [] }), requestId: "request" };
    const { id: groupId } = await services.queuedJobs.enqueueGroup(user.id, group);
    await services.queuedJobs.cancelGroup(user, groupId);
    await services.database.sql`update job_groups set expires_at = now() - interval '20 seconds'`;
    const { lagSeconds } = await purge.run();
    assert.ok(
      lagSeconds.queuedJobs >= 7 && lagSeconds.queuedJobs < 9,
      String(lagSeconds.queuedJobs),
    );
    assert.ok(lagSeconds.events >= 10 && lagSeconds.events < 12, String(lagSeconds.events));
    assert.ok(lagSeconds.groups >= 20 && lagSeconds.groups < 22, String(lagSeconds.groups));
    const none = { queuedJobs: 0, groups: 0, events: 0 };
    assert.deepEqual((await purge.run()).lagSeconds, none);
  });
});
