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
    createRedis({ url: proxy.url, purpose: "tests", failFast, log });

  before(async () => {
    proxy = await createTcpProxy(testRedis().url);
  });
  beforeEach(() => {
    proxy.up();
    lines = [];
  });
  after(() => proxy.close());

  it("that fails fast refuses a command at once while Redis is away, and works when it is back", async () => {
    const redis = connect(true);
    await eventually("it is ready", () => redis.status === "ready");
    proxy.down();
    await eventually("it has noticed", () => redis.status !== "ready");
    const asked = Date.now();
    await assert.rejects(redis.ping(), /isn't writeable|Connection is closed/);
    assert.ok(Date.now() - asked < 200, `${Date.now() - asked} ms`);
    proxy.up();
    await eventually("it is back", async () => (await redis.ping()) === "PONG");
    redis.disconnect();
  });

  it("that waits answers a command of the time away once Redis is back", async () => {
    proxy.down();
    const redis = connect(false);
    const set = redis.set(`${prefix}:waited`, "1", "EX", 60);
    await eventually("it has tried", () => lines.length > 0);
    proxy.up();
    assert.equal(await set, "OK");
    redis.disconnect();
  });

  it("says that a Redis which takes connections does not answer, and goes on when it does", async () => {
    proxy.freeze();
    const redis = connect(false);
    await eventually("it is told", () => lines.length > 0);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [[50, "Redis takes connections but does not answer; trying again until it is back"]],
    );
    proxy.heal();
    assert.equal(await redis.ping(), "PONG");
    await eventually("it is told as back", () => lines.at(-1)?.msg === "Redis is back");
    redis.disconnect();
  });

  it("says once that Redis is away, however often it tries, and once that it is back", async () => {
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
        [50, "Redis is away; trying again until it is back", "tests"],
        [30, "Redis is back", "tests"],
      ],
    );
  });
});
