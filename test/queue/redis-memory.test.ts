import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import type { EmbeddedServer } from "../../src/embedded/open-server-folder.js";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createEventBus, type EventBus } from "../../src/events/event-bus.js";
import {
  createHintQueue,
  hintId,
  laneQueueName,
  type HintQueue,
} from "../../src/queue/hint-queue.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";

const prefix = "{memory}";

describe("a Redis with a memory limit", () => {
  const dataDir = temporaryFolder().path;
  let server: EmbeddedServer;
  let redis: Redis;
  let hints: HintQueue;
  let bus: EventBus;
  before(async () => {
    chmodSync(dataDir, 0o711);
    server = await startRedis({ dataDir, log: silentLog, path: process.env["PATH"] ?? "" });
    redis = new Redis(server.url);
    // Buffers of clients are small beside it.
    await redis.setrange("ballast", 40_000_000, "x");
    const options = { redisUrl: server.url, prefix, log: silentLog };
    hints = createHintQueue(options);
    bus = createEventBus(options);
    await eventually(
      "all are connected",
      async () => (await bus.probe()) === null && (await add()),
    );
  });
  after(async () => {
    await hints?.close();
    await bus?.close();
    redis?.disconnect();
    await server?.close();
  });

  let created = 0;
  const newHint = () => {
    const about = { requestId: "r", userId: "u", lane: "worker" as const };
    return { id: `id-${++created}`, run: 1, ...about, priority: 0, backlog: 0, delayMs: 0 };
  };
  /** Adds a new hint; false if it is not there. */
  async function add(): Promise<boolean> {
    const hint = newHint();
    await hints.add([hint]);
    const key = `${prefix}:${laneQueueName("worker")}:${hintId(hint.id, hint.run)}`;
    return (await redis.exists(key)) === 1;
  }
  /** Limits the memory, so that this share of it is in use. */
  async function fill(share: number): Promise<void> {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
    await redis.config("SET", "maxmemory", share === 0 ? 0 : Math.round(used / share));
  }

  it("takes no more hints when it is nearly full, so that there is room to take them", async () => {
    await fill(0.5);
    assert.ok(((await hints.memoryUsed()) ?? 0) > 0.4);
    assert.equal(await add(), true);
    await fill(0.94);
    assert.ok(((await hints.memoryUsed()) ?? 0) > 0.9);
    assert.equal(await add(), false);
    const many = Array.from({ length: 600 }, newHint);
    await assert.rejects(hints.addMissing(many), {
      code: "SERVICE_UNAVAILABLE",
      message: "Redis is nearly full; hints are added when it has room",
    });
    const waiting = await redis.zcard(`${prefix}:${laneQueueName("worker")}:prioritized`);
    assert.equal(waiting, 500, "the workers have some work all the same");
    await fill(0);
    assert.equal(await hints.memoryUsed(), null);
    assert.equal(await add(), true);
  });

  it("is noticed by itself when its use has changed", async () => {
    await fill(0.95);
    await eventually("it takes no more", async () => !(await add()));
    await fill(0);
    await eventually("it takes them again", add);
  });

  it("is reported when it is full, and the reconciler tries again later", async () => {
    await fill(0);
    await hints.memoryUsed();
    await redis.config("SET", "maxmemory", 1);
    assert.equal(await bus.probe(), "refuses data (OOM); submitted jobs run when it accepts data");
    await assert.rejects(hints.addMissing([newHint()]), {
      code: "SERVICE_UNAVAILABLE",
      message: "Redis has refused hints.",
    });
    await fill(0);
    assert.equal(await bus.probe(), null);
  });
});
