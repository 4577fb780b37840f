// Tests one stream on real stores: how it reads, waits and ends.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { CursorExpiredError } from "../../src/domain/errors.js";
import { eventually } from "../support/runner/eventually.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";
import { createTestReader, type TestReader } from "../support/clients/test-reader.js";
import { received } from "../support/asserts/received.js";

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("a subscription", () => {
  let core: TestCore;
  let reader: TestReader;
  let epoch: string;
  const pages: { seq: number; limit: number; got: number }[] = [];
  before(async () => {
    core = await createTestCore();
    reader = await createTestReader(core, {
      wrap: (log) => ({
        ...log,
        async read(query) {
          const page = await log.read(query);
          pages.push({ seq: query.seq, limit: query.limit, got: page.events.length });
          return page;
        },
      }),
    });
    epoch = await core.eventLog.epoch();
    await eventually("notifications can be published", () => core.bus.awayReason() === null);
  });
  after(async () => {
    await reader.close();
    await core.close();
  });

  it("is a position, not a queue: events not yet pulled are only in the log", async () => {
    const user = await core.newUser();
    const slow = await reader.open(user.id);
    const brisk = received(await reader.open(user.id));
    for (let i = 0; i < 10; i++) await core.submitMany(user, 100);
    await brisk.count(1000);
    pages.length = 0;
    assert.equal((await slow.next()).value?.cursorSeq, 1);
    assert.deepEqual(
      pages,
      [{ seq: 0, limit: 100, got: 100 }],
      "one page, and only when it was requested",
    );
    const rest: number[] = [];
    while (rest.length < 999) rest.push((await slow.next()).value?.cursorSeq ?? 0);
    assert.deepEqual(rest, numbers(1000).slice(1));
    assert.ok(pages.every(({ got }) => got <= 100));
    assert.deepEqual(
      brisk.events.map(({ cursorSeq }) => cursorSeq),
      numbers(1000),
    );
    await slow.return();
  });

  it("does not block other work during a replay", async () => {
    const user = await core.newUser();
    for (let i = 0; i < 10; i++) await core.submitMany(user, 100);
    const stream = received(await reader.open(user.id, { after: { epoch, seq: 0 } }));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await stream.count(1000);
    clearInterval(timer);
    assert.ok(turns > 1, `timers ran ${turns} times`);
  });

  it("skips gaps, which a deleted QueuedJob leaves", async () => {
    const user = await core.newUser();
    const [gone, kept] = [await core.finish(user), await core.submit(user)];
    await core.queuedJobs.remove(user, gone.id);
    const stream = received(await reader.open(user.id, { after: { epoch, seq: 0 } }));
    await stream.count(2);
    await core.queuedJobs.cancel(user, kept.id);
    await stream.count(3);
    assert.deepEqual(stream.story, ["QUEUED 4", "DELETED 5", "CANCELLED 6"]);
  });

  it("of one QueuedJob contains only its own events and also ends with DELETED", async () => {
    const user = await core.newUser();
    const mine = await core.submit(user);
    core.losesNotifications = true;
    const stream = received(await reader.open(user.id, { queuedJobId: mine.id }));
    await stream.count(1);
    await core.finish(user);
    await core.queuedJobs.cancel(user, mine.id);
    await core.queuedJobs.remove(user, mine.id);
    core.losesNotifications = false;
    await core.submit(user);
    assert.equal(await stream.ended(), "done");
    assert.deepEqual(stream.story, ["QUEUED 1", "DELETED 6"]);
  });

  it("of one QueuedJob keeps its position while thousands of other events pass", async () => {
    const user = await core.newUser();
    const mine = await core.submit(user);
    const stream = received(await reader.open(user.id, { queuedJobId: mine.id }));
    for (let i = 0; i < 5; i++) await core.submitMany(user, 100);
    const earlier = pages.length;
    await core.queuedJobs.cancel(user, mine.id);
    assert.equal(await stream.ended(), "done");
    assert.deepEqual(stream.story, ["QUEUED 1", "CANCELLED 502"]);
    assert.ok(
      pages.length - earlier <= 2,
      `${pages.length - earlier} pages were read for one event`,
    );
  });

  it("ends after the first terminal event although a retry followed at once", async () => {
    const user = await core.newUser();
    const mine = await core.submit(user);
    const subscription = await reader.open(user.id, { queuedJobId: mine.id });
    await core.queuedJobs.cancel(user, mine.id);
    await core.queuedJobs.retry(user, mine.id);
    await eventually(
      "all events are in the ring buffer",
      async () => (await core.eventLog.heads([user.id])).heads.get(user.id) === 3,
    );
    const stream = received(subscription);
    assert.equal(await stream.ended(), "done");
    assert.deepEqual(stream.story, ["QUEUED 1", "CANCELLED 2"]);
  });

  it("wakes a pending next on return, and then stays done", async () => {
    const user = await core.newUser();
    const subscription = await reader.open(user.id);
    const waiting = subscription.next();
    assert.equal(await Promise.race([waiting, pause(20, "still waiting")]), "still waiting");
    assert.deepEqual(await subscription.return(), { done: true, value: undefined });
    assert.deepEqual(await waiting, { done: true, value: undefined });
    await core.submit(user);
    assert.deepEqual(await subscription.next(), { done: true, value: undefined });
    assert.deepEqual(await subscription.return(), { done: true, value: undefined });
  });

  it("ends only itself", async () => {
    const user = await core.newUser();
    const [first, second] = [await reader.open(user.id), await reader.open(user.id)];
    const waiting = second.next();
    await first.return();
    await core.submit(user);
    assert.equal((await waiting).value?.cursorSeq, 1);
    await second.return();
  });

  it("does not affect the user's other streams, even if it is returned twice", async () => {
    const user = await core.newUser();
    const [twice, other] = [await reader.open(user.id), received(await reader.open(user.id))];
    const earlier = reader.feed.subscribers;
    await twice.return();
    await twice.return();
    const queuedJob = await core.submit(user);
    const ends = await reader.open(user.id, { queuedJobId: queuedJob.id });
    await core.queuedJobs.cancel(user, queuedJob.id);
    assert.equal(await received(ends).ended(), "done");
    await ends.return();
    await core.submit(user);
    await other.count(3);
    assert.deepEqual(
      [other.story, reader.feed.subscribers],
      [["QUEUED 1", "CANCELLED 2", "QUEUED 3"], earlier - 1],
    );
  });

  it("ends with CURSOR_EXPIRED when it falls behind the kept events", async () => {
    const user = await core.newUser();
    const subscription = await reader.open(user.id);
    const earlier = reader.feed.subscribers;
    for (let i = 0; i < 3; i++) await core.submitMany(user, 100);
    await core.database.sql`delete from queued_job_events where user_id = ${user.id} and seq <= 50`;
    await core.database.sql`update user_streams set floor_seq = 50 where user_id = ${user.id}`;
    const stream = received(subscription);
    const end = await stream.ended();
    assert.ok(end instanceof CursorExpiredError, String(end));
    assert.deepEqual(
      [end.code, end.message],
      [
        "CURSOR_EXPIRED",
        "The stream fell behind the kept events: read the page again and continue with its " +
          "eventCursor.",
      ],
    );
    assert.deepEqual([stream.story, reader.feed.subscribers], [[], earlier - 1]);
  });
});
