// Tests a Redis that answers on new connections but is silent on old ones. A lost firewall state or
// a frozen proxy causes this.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type { Notification } from "../../../src/events/event-bus.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { createTcpProxy, type TcpProxy } from "../../support/stores/tcp-proxy.js";
import { testRedis } from "../../support/stores/test-redis.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("a worker that waits for work", long, () => {
  it(
    "keeps its connections, although BullMQ waits for 10 s in one call",
    { timeout: 120_000 },
    async () => {
      const { url, prefix } = testRedis();
      // The proxy counts closed connections.
      const proxy = await createTcpProxy(url);
      const service = await startTestService({
        env: { REDIS_URL: proxy.url },
        redisPrefix: prefix,
      });
      try {
        const person = await service.person();
        const runAt = new Date(Date.now() + 30_000).toISOString();
        const { id } = await person.enqueue("echo", {}, { runAt });
        await person.finished(id, 60_000);
        assert.equal(
          service.logged.some(({ msg }) => String(msg).includes("Redis")),
          false,
        );
        assert.equal(proxy.ended, 0);
      } finally {
        await service.close();
        await proxy.close();
      }
    },
  );
});

describe("a Redis that is silent on old connections", long, () => {
  const { url, prefix } = testRedis();
  let proxy: TcpProxy;
  let service: TestService;
  let redis: Redis;
  let listener: Redis;
  const published: string[] = [];
  before(async () => {
    proxy = await createTcpProxy(url);
    service = await startTestService({ env: { REDIS_URL: proxy.url }, redisPrefix: prefix });
    redis = new Redis(url);
    listener = new Redis(url);
    listener.on("pmessage", (_pattern, _channel, text: string) => published.push(text));
    await listener.psubscribe(`${prefix}:events:*`);
  });
  after(async () => {
    redis.disconnect();
    listener.disconnect();
    await service?.close();
    await proxy?.close();
  });

  it(
    "is replaced within 20 s: a worker takes work, and an API publishes and receives",
    { timeout: 120_000 },
    async (t) => {
      const person = await service.person();
      const first = await person.enqueue("echo");
      await person.finished(first.id);
      const [event] = (JSON.parse(published.at(-1) ?? "") as Notification).events;
      const { id: userId } = (await person.get("{ me { id } }")).me as { id: string };
      const stream = person.events({ after: await person.cursor() });
      await person.enqueue("echo");
      await stream.next("the stream is open", () => true);
      proxy.mute();
      const muted = Date.now();
      const since = () => `${Date.now() - muted} ms`;
      const { id } = await person.enqueue("echo");
      const works = person
        .finished(id, 20_000)
        .then(() => t.diagnostic(`work is taken after ${since()}`));
      // No hint is added, so every publication comes from the API.
      const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
      const accepted: string[] = [];
      const publishes = eventually(
        "the API publishes",
        async () => {
          accepted.push((await person.enqueue("echo", {}, later)).id);
          return published.some((text) => accepted.some((one) => text.includes(one)));
        },
        20_000,
      );
      await Promise.all([
        works,
        publishes.then(() => t.diagnostic(`the API publishes after ${since()}`)),
        receives().then(() => t.diagnostic(`the API receives after ${since()}`)),
      ]);

      /** Progress is not in the log, so only a notification delivers it. */
      async function receives(): Promise<void> {
        await eventually(
          "a progress is delivered",
          async () => {
            await redis.publish(
              `${prefix}:events:${userId}`,
              JSON.stringify({ head: null, events: [{ ...event, type: "PROGRESS" }] }),
            );
            return stream.events.find(({ type }) => type === "PROGRESS");
          },
          20_000,
        );
      }
    },
  );
});
