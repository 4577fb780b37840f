import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Redis } from "ioredis";
import { createEventBus, type Notification, type EventBus } from "../../src/events/event-bus.js";
import type { QueuedJob, QueuedJobEvent } from "../../src/domain/queued-job.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

const event = (
  seq: number,
  more: Partial<QueuedJobEvent> & { result?: unknown } = {},
): QueuedJobEvent => ({
  seq,
  type: "QUEUED",
  at: "2026-01-01T00:00:00.000Z",
  ...more,
  queuedJob: { id: "a", result: more.result ?? null } as QueuedJob,
});

describe("the event bus", () => {
  const { url, prefix } = testRedis();
  let proxy: TcpProxy;
  let publisher: EventBus;
  let subscriber: EventBus;
  let redis: Redis;
  let received: [string, Notification][] = [];
  let reconnects = 0;
  before(async () => {
    redis = new Redis(url);
    proxy = await createTcpProxy(url);
    publisher = createEventBus({ redisUrl: url, prefix, log: silentLog });
    subscriber = createEventBus({ redisUrl: proxy.url, prefix, log: silentLog });
    subscriber.onNotification((userId, notification) => received.push([userId, notification]));
    subscriber.onReconnect(() => reconnects++);
    await eventually(
      "both are connected",
      () => publisher.awayReason() === null && subscriber.awayReason() === null,
    );
  });
  beforeEach(() => {
    received = [];
  });
  after(async () => {
    await publisher.close();
    await subscriber.close();
    await proxy.close();
    redis.disconnect();
  });

  it("delivers a user's events only to processes that listen to that user", async () => {
    await subscriber.listen("ann");
    publisher.publish("bob", [event(1)]);
    publisher.publish("ann", [event(1), event(2)]);
    await eventually("it is received", () => received.length > 0);
    assert.deepEqual(received, [["ann", { head: 2, events: [event(1), event(2)] }]]);
    subscriber.unlisten("ann");
    await eventually(
      "the channel is released",
      async () => (await redis.pubsub("CHANNELS", `${prefix}*`)).length === 0,
    );
  });

  it("publishes one notification for all events of a step, in order", async () => {
    await subscriber.listen("ann");
    for (const seq of [1, 2, 3]) publisher.publish("ann", [event(seq)]);
    await eventually("it is received", () => received.length > 0);
    assert.deepEqual(received, [["ann", { head: 3, events: [event(1), event(2), event(3)] }]]);
  });

  it("sends only the number of an event that is too long", async () => {
    await subscriber.listen("ann");
    publisher.publish("ann", [
      event(1, { result: "x".repeat(4000) }),
      event(2, { result: "x".repeat(9000) }),
      event(3),
    ]);
    await eventually("all are received", () => received.length === 3);
    assert.deepEqual(
      received.map(([, { head, events }]) => [head, events.length]),
      [
        [1, 1],
        [2, 0],
        [3, 1],
      ],
    );
  });

  it("splits more events than fit into one notification", async () => {
    await subscriber.listen("ann");
    publisher.publish(
      "ann",
      Array.from({ length: 20 }, (_, i) => event(i + 1, { result: "x".repeat(3950) })),
    );
    await eventually("all are received", () => received.at(-1)?.[1].head === 20);
    assert.deepEqual(
      received.map(([, { head, events }]) => [head, events.length]),
      [
        [8, 8],
        [16, 8],
        [20, 4],
      ],
    );
  });

  it("publishes the remaining notifications before it closes", async () => {
    const other = createEventBus({ redisUrl: url, prefix, log: silentLog });
    await eventually("it is connected", () => other.awayReason() === null);
    await subscriber.listen("ann");
    other.publish("ann", [event(1)]);
    await other.close();
    await eventually("it is received", () => received.length > 0);
  });

  it("never shortens a PROGRESS, which is not in the log and does not move the head", async () => {
    await subscriber.listen("ann");
    publisher.publish("ann", [event(1, { type: "PROGRESS", result: "x".repeat(60_000) })]);
    await eventually("it is received", () => received.length > 0);
    assert.deepEqual(
      received.map(([, { head, events }]) => [head, events.length]),
      [[null, 1]],
    );
  });

  it("ignores invalid messages in its channels", async () => {
    await subscriber.listen("ann");
    await redis.publish(`${prefix}:events:ann`, "{no json");
    publisher.publish("ann", [event(4)]);
    await eventually("the next is received", () => received.length > 0);
    assert.deepEqual(
      received.map(([, { head }]) => head),
      [4],
    );
  });

  it("reports an outage of Redis, does not block, and then listens again", async () => {
    await subscriber.listen("ann");
    const reconnectsBefore = reconnects;
    proxy.down();
    await eventually("it has noticed", () => subscriber.awayReason() !== null);
    assert.equal(subscriber.awayReason(), "is unavailable; submitted jobs run when it returns");
    subscriber.publish("ann", [event(5)]);
    const startedAt = Date.now();
    await subscriber.listen("late");
    assert.ok(Date.now() - startedAt < 200, `listening took ${Date.now() - startedAt} ms`);
    proxy.up();
    await eventually("it reports a reconnect", () => reconnects > reconnectsBefore);
    await eventually("it is back", () => subscriber.awayReason() === null);
    await eventually(
      "it also listens to the user who was added during the outage",
      async () => (await redis.pubsub("CHANNELS", `${prefix}:events:late`)).length === 1,
    );
    publisher.publish("ann", [event(6)]);
    publisher.publish("late", [event(7)]);
    await eventually("both are received", () => received.length >= 2);
    assert.deepEqual(
      received.map(([userId, { head }]) => [userId, head]),
      [
        ["ann", 6],
        ["late", 7],
      ],
    );
  });

  it("counts the notifications that it could not publish", async () => {
    let dropped = 0;
    const away = createEventBus({
      redisUrl: proxy.url,
      prefix,
      log: silentLog,
      onDropped: (count) => (dropped += count),
    });
    await eventually("it is connected", () => away.awayReason() === null);
    await subscriber.listen("ann");
    away.publish("ann", [event(1)]);
    await eventually("it is received", () => received.length === 1);
    assert.equal(dropped, 0);
    proxy.down();
    await eventually("it has noticed", () => away.awayReason() !== null);
    away.publish("ann", [event(2)]);
    away.publish("bob", [event(1), event(2, { result: "x".repeat(9000) })]);
    await eventually("all are counted", () => dropped === 3);
    await away.close();
    proxy.up();
    await eventually("the others are back", () => subscriber.awayReason() === null);
  });

  it("limits the wait of a listener while Redis hangs", async () => {
    proxy.freeze();
    const startedAt = Date.now();
    await subscriber.listen("hung");
    assert.ok(Date.now() - startedAt < 2000, `listening took ${Date.now() - startedAt} ms`);
    proxy.heal();
    await eventually(
      "it listens now",
      async () => (await redis.pubsub("CHANNELS", `${prefix}:events:hung`)).length === 1,
    );
    publisher.publish("hung", [event(8)]);
    await eventually("it is received", () => received.length > 0);
  });
});
