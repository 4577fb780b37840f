// Tests how a stream gets its events: by notifications, reconnects and the watchdog. Also tests the
// cost of its channel.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import type { EventLog } from "../../src/events/event-log.js";
import { createFeed } from "../../src/events/feed.js";
import type { User } from "../../src/services/users/users.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";
import { createTestReader, type TestReader } from "../support/clients/test-reader.js";
import { received } from "../support/asserts/received.js";

describe("the feed", () => {
  let core: TestCore;
  const opened: TestReader[] = [];
  let redis: Redis;
  async function open(options?: Parameters<typeof createTestReader>[1]): Promise<TestReader> {
    const reader = await createTestReader(core, options);
    opened.push(reader);
    return reader;
  }
  before(async () => {
    core = await createTestCore();
    redis = new Redis(core.redis.url);
    await eventually("notifications can be published", () => core.bus.awayReason() === null);
  });
  afterEach(async () => {
    for (const reader of opened.splice(0)) await reader.close();
  });
  after(async () => {
    redis.disconnect();
    await core.close();
  });
  const listenersOf = async (user: User) =>
    (await redis.pubsub("NUMSUB", `${core.redis.prefix}:events:${user.id}`))[1];

  it("misses no event committed between listening and reading, for any start", async () => {
    const epoch = await core.eventLog.epoch();
    let afterRead: (() => Promise<unknown>) | null = null;
    // An event is committed directly after the first read of a start, so only a notification
    // reports it.
    const behind =
      <Args extends unknown[], Answer>(read: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        const answer = await read(...args);
        const action = afterRead;
        afterRead = null;
        await action?.();
        return answer;
      };
    // The watchdog reads the heads of no users, which is not a start.
    const heads =
      (log: EventLog): EventLog["heads"] =>
      (userIds) =>
        (userIds.length === 0 ? log.heads : behind(log.heads))(userIds);
    const wrap = (log: EventLog): EventLog => ({
      ...log,
      read: behind(log.read),
      heads: heads(log),
      present: behind(log.present),
    });
    const reader = await open({ wrap });
    const user = await core.newUser();
    const first = await core.submit(user);
    const starts = [
      {},
      { after: { epoch, seq: 1 } },
      { queuedJobId: first.id },
      { queuedJobId: first.id, after: { epoch, seq: 1 } },
    ];
    for (const start of starts) {
      const queuedJob = "queuedJobId" in start ? first : await core.submit(user);
      const behindLast = {
        ...start,
        ...("after" in start && {
          after: { epoch, seq: (await core.eventLog.heads([user.id])).heads.get(user.id) ?? 0 },
        }),
      };
      afterRead = () => core.queuedJobs.cancel(user, queuedJob.id);
      const subscription = await reader.open(user.id, behindLast);
      const stream = received(subscription);
      await eventually(
        `it gets the cancellation, from ${JSON.stringify(Object.keys(start))}`,
        () =>
          stream.events.some(
            ({ event }) => event.type === "CANCELLED" && event.queuedJob.id === queuedJob.id,
          ),
        3000,
      );
      await subscription.return();
      if (queuedJob === first) await core.queuedJobs.retry(user, first.id);
    }
  });

  it("reads nothing before its notifications arrive", async () => {
    let listening: () => void = () => {};
    let reads = 0;
    const eventLog: EventLog = {
      ...core.eventLog,
      heads: (userIds) => (reads++, core.eventLog.heads(userIds)),
    };
    const feed = createFeed({
      bus: {
        ...core.bus,
        listen: () => new Promise((resolve) => (listening = resolve)),
        unlisten: () => {},
        onNotification: () => {},
        onReconnect: () => {},
      },
      eventLog,
      log: silentLog,
      watchdogMs: 600_000,
    });
    const opening = feed.open({
      userId: (await core.newUser()).id,
      queuedJobId: null,
      after: null,
      includeProgress: false,
    });
    await core.eventLog.heads([]);
    assert.equal(reads, 0);
    listening();
    await opening;
    assert.equal(reads, 1);
    await feed.close();
  });

  it("detects with its watchdog the events without a notification", async () => {
    const reader = await open({ watchdogMs: 30 });
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    core.losesNotifications = true;
    await core.finish(user);
    await stream.count(3);
    core.losesNotifications = false;
    await core.submit(user);
    await stream.count(4);
    assert.deepEqual(stream.story, ["QUEUED 1", "STARTED 2", "SUCCEEDED 3", "QUEUED 4"]);
  });

  it("delivers to waiting streams the events that the start of another stream found", async () => {
    const reader = await open();
    const user = await core.newUser();
    const waiting = received(await reader.open(user.id));
    core.losesNotifications = true;
    const queuedJob = await core.finish(user);
    core.losesNotifications = false;
    const late = [
      received(await reader.open(user.id)),
      received(await reader.open(user.id, { queuedJobId: queuedJob.id })),
    ];
    await waiting.count(3);
    assert.deepEqual(
      [waiting.story, ...late.map((stream) => stream.story)],
      [["QUEUED 1", "STARTED 2", "SUCCEEDED 3"], [], ["SUCCEEDED 3"]],
    );
  });

  it("delivers events of repeated, late or wrong notifications once, in order", async () => {
    const reader = await open();
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    core.losesNotifications = true;
    await core.submitMany(user, 5);
    core.losesNotifications = false;
    const { events } = await core.eventLog.read({
      userId: user.id,
      seq: 0,
      limit: 10,
      queuedJobId: null,
    });
    for (const i of [3, 1, 1, 4, 0, 3]) core.bus.publish(user.id, events.slice(i, i + 1));
    await redis.publish(
      `${core.redis.prefix}:events:${user.id}`,
      JSON.stringify({ head: 1_000_000, events: [] }),
    );
    await core.submit(user);
    await stream.count(6);
    assert.deepEqual(
      stream.events.map(({ cursorSeq }) => cursorSeq),
      [1, 2, 3, 4, 5, 6],
    );
  });

  it("delivers events of a notification that carries numbers only", async () => {
    const reader = await open();
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    await core.submitMany(user, 100);
    await core.finish(user, "x".repeat(8000));
    await stream.count(103);
    assert.deepEqual(
      stream.events.map(({ cursorSeq }) => cursorSeq),
      Array.from({ length: 103 }, (_, i) => i + 1),
    );
    assert.equal(String(stream.events.at(-1)?.event.queuedJob.result).length, 8000);
  });

  it("shares one Redis channel among a user's subscribers, until the last ends", async () => {
    const reader = await open();
    const user = await core.newUser();
    const subscriptions = await Promise.all(Array.from({ length: 50 }, () => reader.open(user.id)));
    const streams = subscriptions.map(received);
    assert.equal(await listenersOf(user), 1);
    assert.equal(reader.feed.subscribers, 50);
    await core.submit(user);
    await Promise.all(streams.map((stream) => stream.count(1)));
    for (const subscription of subscriptions.slice(1)) await subscription.return();
    await core.submit(user);
    await streams[0]?.count(2);
    assert.deepEqual(
      [await listenersOf(user), reader.feed.subscribers, streams[1]?.story],
      [1, 1, ["QUEUED 1"]],
    );
    await subscriptions[0]?.return();
    await eventually("the channel is released", async () => (await listenersOf(user)) === 0);
    assert.equal(reader.feed.subscribers, 0);
  });

  it("also releases the channel of a refused stream", async () => {
    const reader = await open();
    const user = await core.newUser();
    await assert.rejects(reader.open(user.id, { queuedJobId: uuidv7() }), { code: "NOT_FOUND" });
    await eventually("the channel is released", async () => (await listenersOf(user)) === 0);
    assert.equal(reader.feed.subscribers, 0);
  });

  it("needs no query for events that a notification carried", async () => {
    let reads = 0;
    const reader = await open({
      wrap: (log) => ({ ...log, read: (query) => (reads++, log.read(query)) }),
    });
    const user = await core.newUser();
    const streams = await Promise.all(
      Array.from({ length: 10 }, async () => received(await reader.open(user.id))),
    );
    for (let i = 0; i < 10; i++) await core.submit(user);
    await Promise.all(streams.map((stream) => stream.count(10)));
    assert.equal(reads, 0);
  });

  it("ends every stream when it closes", async () => {
    const reader = await open();
    const user = await core.newUser();
    const streams = [received(await reader.open(user.id)), received(await reader.open(user.id))];
    await reader.feed.close();
    assert.deepEqual(await Promise.all(streams.map((stream) => stream.ended())), ["done", "done"]);
    assert.equal(reader.feed.subscribers, 0);
  });
});
