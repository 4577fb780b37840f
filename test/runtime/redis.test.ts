import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { createRedis } from "../../src/runtime/redis.js";
import { eventually } from "../support/runner/eventually.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

interface Line {
  level: number;
  msg: string;
  purpose: string;
}

describe("a connection to Redis", () => {
  const { prefix } = testRedis();
  let proxy: TcpProxy;
  let lines: Line[] = [];
  const log = createLoggerTo({ write: (line) => void lines.push(JSON.parse(line) as Line) });
  const connect = (failFast: boolean) =>
    createRedis({ url: proxy.url, prefix, purpose: "tests", failFast, log });

  before(async () => {
    proxy = await createTcpProxy(testRedis().url);
  });
  beforeEach(() => {
    proxy.up();
    lines = [];
  });
  after(() => proxy.close());

  it("that fails fast refuses commands during an outage, and works afterwards", async () => {
    const redis = connect(true);
    await eventually("it is ready", () => redis.status === "ready");
    proxy.down();
    await eventually("it has noticed", () => redis.status !== "ready");
    const sentAt = Date.now();
    await assert.rejects(redis.ping(), /isn't writeable|Connection is closed/);
    assert.ok(Date.now() - sentAt < 200, `${Date.now() - sentAt} ms`);
    proxy.up();
    await eventually("it is back", async () => (await redis.ping()) === "PONG");
    redis.disconnect();
  });

  it("writes the first command of a turn at once and the others together, in order", async () => {
    const redis = connect(true);
    await eventually("it is ready", () => redis.status === "ready");
    const { stream } = redis;
    const key = `${prefix}:together`;
    const first = redis.set(key, "1", "EX", 60);
    assert.equal(stream.writableLength, 0);
    const answers = [first, redis.incr(key), redis.get(key)];
    assert.ok(stream.writableLength > 0);
    assert.deepEqual(await Promise.all(answers), ["OK", 2, "2"]);
    assert.equal(stream.writableLength, 0);
    redis.disconnect();
  });

  it("that waits answers a command from an outage once Redis is back", async () => {
    proxy.down();
    const redis = connect(false);
    const set = redis.set(`${prefix}:waited`, "1", "EX", 60);
    await eventually("it has tried", () => lines.length > 0);
    proxy.up();
    assert.equal(await set, "OK");
    redis.disconnect();
  });

  it("logs that Redis does not answer, and works when it does", async () => {
    proxy.freeze();
    const redis = connect(false);
    await eventually("it is logged", () => lines.length > 0);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [[50, "Redis accepts connections but does not answer; reconnecting until it is back"]],
    );
    proxy.heal();
    assert.equal(await redis.ping(), "PONG");
    await eventually("it is logged as back", () => lines.at(-1)?.msg === "Redis is back");
    redis.disconnect();
  });

  it("logs an outage and its end once, however often it tries", async () => {
    proxy.down();
    const redis = connect(false);
    let tries = 0;
    redis.on("reconnecting", () => tries++);
    await eventually("it has tried again", () => tries >= 3);
    proxy.up();
    await eventually("it is back", () => lines.at(-1)?.msg === "Redis is back");
    redis.disconnect();
    assert.deepEqual(
      lines.map(({ level, msg, purpose }) => [level, msg, purpose]),
      [
        [50, "Redis is unavailable; reconnecting until it is back", "tests"],
        [30, "Redis is back", "tests"],
      ],
    );
  });
});
