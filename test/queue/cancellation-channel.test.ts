import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCancellationChannel, listenForStops } from "../../src/queue/cancellation-channel.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

describe("a stop notification", () => {
  it("reaches every worker of the same stores only, also after an outage of Redis", async () => {
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    const received: Record<"here" | "through" | "others", Set<string>> = {
      here: new Set(),
      through: new Set(),
      others: new Set(),
    };
    const listeners = [
      listenForStops({
        redisUrl: url,
        prefix,
        log: silentLog,
        onStop: (id) => received.here.add(id),
      }),
      listenForStops({
        redisUrl: proxy.url,
        prefix,
        log: silentLog,
        onStop: (id) => received.through.add(id),
      }),
      listenForStops({
        redisUrl: url,
        prefix: `${prefix}-other`,
        log: silentLog,
        onStop: (id) => received.others.add(id),
      }),
    ];
    const notification = createCancellationChannel({ redisUrl: url, prefix, log: silentLog });
    const published = (id: string) =>
      eventually(`both receive ${id}`, () => {
        notification.publish(id);
        return received.here.has(id) && received.through.has(id);
      });
    await published("first");
    proxy.down();
    proxy.up();
    await published("second");
    assert.deepEqual(
      [[...received.here], [...received.through], [...received.others]],
      [["first", "second"], ["first", "second"], []],
    );
    for (const listener of listeners) listener.close();
    notification.close();
    await proxy.close();
  });

  it("neither throws nor waits while Redis is unavailable", async () => {
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    proxy.down();
    const notification = createCancellationChannel({ redisUrl: proxy.url, prefix, log: silentLog });
    notification.publish("some");
    notification.close();
    await proxy.close();
  });
});
