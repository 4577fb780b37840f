// Tests a Redis that is reachable but does not answer or does not read.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { createRedis, type RedisOptions } from "../../../src/runtime/redis.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTcpProxy, type TcpProxy } from "../../support/stores/tcp-proxy.js";
import { testRedis } from "../../support/stores/test-redis.js";

describe("a connection to Redis", () => {
  const { prefix } = testRedis();
  let proxy: TcpProxy;
  let lines: { msg: string }[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as { msg: string }),
  });
  const connect = (failFast: boolean, more: Partial<RedisOptions> = {}) =>
    createRedis({ url: proxy.url, prefix, purpose: "tests", failFast, log, ...more });
  before(async () => {
    proxy = await createTcpProxy(testRedis().url);
  });
  beforeEach(() => {
    lines = [];
  });
  after(() => proxy.close());

  for (const [what, failFast, use] of [
    ["that fails fast", true, (redis) => redis.ping()],
    ["that waits", false, (redis) => redis.ping()],
    ["of a subscriber", false, (redis) => redis.subscribe(`${prefix}:topic`)],
  ] satisfies [string, boolean, (redis: Redis) => Promise<unknown>][]) {
    it(`${what} is replaced when Redis does not answer, even without commands`, async () => {
      const redis = connect(failFast, { pingMs: 30, answerMs: 200 });
      await eventually("it is ready", () => redis.status === "ready");
      await use(redis);
      let closed = 0;
      redis.on("close", () => closed++);
      proxy.mute();
      await eventually("it is left", () => closed === 1, 3000);
      assert.match(lines[0]?.msg ?? "", /^Redis is unavailable/);
      await eventually("there is a new one", async () => (await redis.ping()) === "PONG", 3000);
      redis.disconnect();
      proxy.heal();
    });
  }

  it("is also replaced if it is BullMQ's duplicate, but kept during a blocking call", async () => {
    const redis = connect(false, { pingMs: 30, answerMs: 400 });
    const copy = redis.duplicate({ maxRetriesPerRequest: null });
    let closed = 0;
    copy.on("close", () => closed++);
    copy.on("error", () => {});
    try {
      let waited: unknown = "not yet";
      copy.bzpopmin(`${prefix}:none`, 0.6).then(
        (entry) => (waited = entry),
        () => {},
      );
      await eventually("its call has ended", () => waited === null, 3000);
      assert.equal(closed, 0);
      for (const closings of [1, 3]) {
        proxy.mute();
        await eventually("it is left", () => closed === closings, 3000);
        await eventually("there is a new one", async () => (await copy.ping()) === "PONG", 3000);
        // BullMQ does this when it doubts a connection.
        copy.disconnect();
        await eventually("it has ended", () => copy.status === "end");
        await copy.connect();
      }
    } finally {
      for (const one of [redis, copy]) one.disconnect();
      proxy.heal();
    }
  });

  it("is kept while Redis answers, even without commands", async () => {
    const redis = connect(false, { pingMs: 20, answerMs: 100 });
    let pings = 0;
    const ping = redis.ping.bind(redis);
    redis.ping = async () => {
      const answer = await ping();
      pings++;
      return answer;
    };
    const id = await redis.client("ID");
    await eventually("many are answered", () => pings > 20);
    assert.equal(await redis.client("ID"), id);
    redis.disconnect();
  });

  it("that fails fast refuses commands while too many bytes are unsent", async () => {
    const redis = connect(true);
    await eventually("it is ready", () => redis.status === "ready");
    proxy.freeze();
    const megabyte = "x".repeat(1024 * 1024);
    const sent = Array.from({ length: 50 }, () => redis.publish(`${prefix}:topic`, megabyte));
    const waiting = redis.stream.writableLength;
    const outcomes = await Promise.allSettled(sent);
    const refused = outcomes.filter(
      (outcome) =>
        outcome.status === "rejected" &&
        String(outcome.reason) ===
          "Error: Redis is not reading: more than 8388608 bytes are unsent.",
    );
    assert.ok(refused.length > 20, `${refused.length} were refused`);
    assert.ok(waiting < 10 * 1024 * 1024, `${waiting} bytes wait`);
    proxy.heal();
    await eventually("it works again", async () => (await redis.ping()) === "PONG");
    redis.disconnect();
  });
});
