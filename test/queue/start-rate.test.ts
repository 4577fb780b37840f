import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createStartRate } from "../../src/queue/start-rate.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

describe("the rate of starts", () => {
  it("counts the starts of all workers by lane, over the last minute", async (t) => {
    const { url, prefix } = testRedis();
    let nowMs = Date.parse("2026-01-01T00:00:00.000Z");
    const workers = [1, 2].map(() =>
      createStartRate({ redisUrl: url, prefix, log: silentLog, now: () => nowMs }),
    );
    t.after(() => Promise.all(workers.map((worker) => worker.close())));
    const [first] = workers;
    assert.ok(first);
    assert.equal(await first.rate("worker"), null);
    for (const worker of workers) for (let i = 0; i < 10; i++) worker.note("worker");
    await eventually("20 in ten seconds", async () => (await first.rate("worker")) === 2);
    assert.equal(await first.rate("child"), null);
    nowMs += 30_000;
    first.note("worker");
    await eventually(
      "21 in the two steps with starts",
      async () => (await first.rate("worker")) === 21 / 20,
    );
    nowMs += 31_000;
    assert.equal(await first.rate("worker"), 0.1);
    nowMs += 60_000;
    assert.equal(await first.rate("worker"), null);
  });

  it("is null at once while Redis is unavailable", async () => {
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    proxy.down();
    const rate = createStartRate({ redisUrl: proxy.url, prefix, log: silentLog });
    rate.note("worker");
    assert.equal(await rate.rate("worker"), null);
    await rate.close();
    await proxy.close();
  });
});
