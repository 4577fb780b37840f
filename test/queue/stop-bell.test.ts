import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createStopBell, listenForStops } from "../../src/queue/stop-bell.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

describe("the stop bell", () => {
  it("tells every worker of these stores, and not those of others, also after Redis was away", async () => {
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    const heard: Record<"here" | "through" | "others", Set<string>> = {
      here: new Set(),
      through: new Set(),
      others: new Set(),
    };
    const listeners = [
      listenForStops({ redisUrl: url, prefix, log: silentLog, onStop: (id) => heard.here.add(id) }),
      listenForStops({
        redisUrl: proxy.url,
        prefix,
        log: silentLog,
        onStop: (id) => heard.through.add(id),
      }),
      listenForStops({
        redisUrl: url,
        prefix: `${prefix}-other`,
        log: silentLog,
        onStop: (id) => heard.others.add(id),
      }),
    ];
    const bell = createStopBell({ redisUrl: url, prefix, log: silentLog });
    const rung = (id: string) =>
      eventually(`both hear ${id}`, () => {
        bell.ring(id);
        return heard.here.has(id) && heard.through.has(id);
      });
    await rung("first");
    proxy.down();
    proxy.up();
    await rung("second");
    assert.deepEqual(
      [[...heard.here], [...heard.through], [...heard.others]],
      [["first", "second"], ["first", "second"], []],
    );
    for (const listener of listeners) listener.close();
    bell.close();
    await proxy.close();
  });

  it("neither throws nor waits when Redis is away", async () => {
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    proxy.down();
    const bell = createStopBell({ redisUrl: proxy.url, prefix, log: silentLog });
    bell.ring("some");
    bell.close();
    await proxy.close();
  });
});
