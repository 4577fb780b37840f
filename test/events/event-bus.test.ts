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
  let ringer: EventBus;
  let hearer: EventBus;
  let redis: Redis;
  let heard: [string, Notification][] = [];
  let reconnects = 0;
  before(async () => {
    redis = new Redis(url);
    proxy = await createTcpProxy(url);
    ringer = createEventBus({ redisUrl: url, prefix, log: silentLog });
    hearer = createEventBus({ redisUrl: proxy.url, prefix, log: silentLog });
    hearer.onNotification((userId, notification) => heard.push([userId, notification]));
    hearer.onReconnect(() => reconnects++);
    await eventually(
      "both are connected",
      () => ringer.awayReason() === null && hearer.awayReason() === null,
    );
  });
  beforeEach(() => {
    heard = [];
  });
  after(async () => {
    await ringer.close();
    await hearer.close();
    await proxy.close();
    redis.disconnect();
  });

  it("carries the events of a user to whoever listens to that user, and nobody else's", async () => {
    await hearer.listen("ann");
    ringer.publish("bob", [event(1)]);
    ringer.publish("ann", [event(1), event(2)]);
    await eventually("it is heard", () => heard.length > 0);
    assert.deepEqual(heard, [["ann", { head: 2, events: [event(1), event(2)] }]]);
    hearer.unlisten("ann");
    await eventually(
      "the channel is released",
      async () => (await redis.pubsub("CHANNELS", `${prefix}*`)).length === 0,
    );
  });

  it("rings once for all that a user is published for in one step, in order", async () => {
    await hearer.listen("ann");
    for (const seq of [1, 2, 3]) ringer.publish("ann", [event(seq)]);
    await eventually("it is heard", () => heard.length > 0);
    assert.deepEqual(heard, [["ann", { head: 3, events: [event(1), event(2), event(3)] }]]);
  });

  it("says of an event that is too long only that it is there", async () => {
    await hearer.listen("ann");
    ringer.publish("ann", [
      event(1, { result: "x".repeat(4000) }),
      event(2, { result: "x".repeat(9000) }),
      event(3),
    ]);
    await eventually("all are heard", () => heard.length === 3);
    assert.deepEqual(
      heard.map(([, { head, events }]) => [head, events.length]),
      [
        [1, 1],
        [2, 0],
        [3, 1],
      ],
    );
  });

  it("rings several times for more than a notification carries", async () => {
    await hearer.listen("ann");
    ringer.publish(
      "ann",
      Array.from({ length: 20 }, (_, i) => event(i + 1, { result: "x".repeat(3950) })),
    );
    await eventually("all are heard", () => heard.at(-1)?.[1].head === 20);
    assert.deepEqual(
      heard.map(([, { head, events }]) => [head, events.length]),
      [
        [8, 8],
        [16, 8],
        [20, 4],
      ],
    );
  });

  it("rings what is left before it closes", async () => {
    const other = createEventBus({ redisUrl: url, prefix, log: silentLog });
    await eventually("it is connected", () => other.awayReason() === null);
    await hearer.listen("ann");
    other.publish("ann", [event(1)]);
    await other.close();
    await eventually("it is heard", () => heard.length > 0);
  });

  it("never cuts progress, which stands in no log and moves no head", async () => {
    await hearer.listen("ann");
    ringer.publish("ann", [event(1, { type: "PROGRESS", result: "x".repeat(60_000) })]);
    await eventually("it is heard", () => heard.length > 0);
    assert.deepEqual(
      heard.map(([, { head, events }]) => [head, events.length]),
      [[null, 1]],
    );
  });

  it("is not broken by what others write into its channels", async () => {
    await hearer.listen("ann");
    await redis.publish(`${prefix}:events:ann`, "{no json");
    ringer.publish("ann", [event(4)]);
    await eventually("the next is heard", () => heard.length > 0);
    assert.deepEqual(
      heard.map(([, { head }]) => head),
      [4],
    );
  });

  it(
    "says that Redis is away, neither waits nor throws meanwhile, and goes on listening " +
      "when it is back",
    async () => {
      await hearer.listen("ann");
      const seen = reconnects;
      proxy.down();
      await eventually("it has noticed", () => hearer.awayReason() !== null);
      assert.equal(hearer.awayReason(), "is away; what is submitted runs when it returns");
      hearer.publish("ann", [event(5)]);
      const asked = Date.now();
      await hearer.listen("late");
      assert.ok(Date.now() - asked < 200, `listening took ${Date.now() - asked} ms`);
      proxy.up();
      await eventually("it tells that notifications may have been missed", () => reconnects > seen);
      await eventually("it is back", () => hearer.awayReason() === null);
      await eventually(
        "it listens to who came meanwhile, too",
        async () => (await redis.pubsub("CHANNELS", `${prefix}:events:late`)).length === 1,
      );
      ringer.publish("ann", [event(6)]);
      ringer.publish("late", [event(7)]);
      await eventually("both are heard", () => heard.length >= 2);
      assert.deepEqual(
        heard.map(([userId, { head }]) => [userId, head]),
        [
          ["ann", 6],
          ["late", 7],
        ],
      );
    },
  );

  it("counts the notifications that it could not publish", async () => {
    let dropped = 0;
    const away = createEventBus({
      redisUrl: proxy.url,
      prefix,
      log: silentLog,
      onDropped: (count) => (dropped += count),
    });
    await eventually("it is connected", () => away.awayReason() === null);
    await hearer.listen("ann");
    away.publish("ann", [event(1)]);
    await eventually("it is heard", () => heard.length === 1);
    assert.equal(dropped, 0);
    proxy.down();
    await eventually("it has noticed", () => away.awayReason() !== null);
    away.publish("ann", [event(2)]);
    away.publish("bob", [event(1), event(2, { result: "x".repeat(9000) })]);
    await eventually("all are counted", () => dropped === 3);
    await away.close();
    proxy.up();
    await eventually("the others are back", () => hearer.awayReason() === null);
  });

  it("lets nobody wait for ever who listens while Redis hangs", async () => {
    proxy.freeze();
    const asked = Date.now();
    await hearer.listen("hung");
    assert.ok(Date.now() - asked < 2000, `listening took ${Date.now() - asked} ms`);
    proxy.heal();
    await eventually(
      "it listens now",
      async () => (await redis.pubsub("CHANNELS", `${prefix}:events:hung`)).length === 1,
    );
    ringer.publish("hung", [event(8)]);
    await eventually("it is heard", () => heard.length > 0);
  });
});
