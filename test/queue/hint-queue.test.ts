import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Queue } from "bullmq";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import {
  LANES,
  createHintQueue,
  hintId,
  laneQueueName,
  type Hint,
  type HintData,
  type HintQueue,
  type Lane,
} from "../../src/queue/hint-queue.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { createRedis } from "../../src/runtime/redis.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";
import { testRedis } from "../support/stores/test-redis.js";

let created = 0;
const hint = (more: Partial<Hint> = {}): Hint => ({
  id: `id-${++created}`,
  run: 1,
  requestId: "r",
  userId: "u",
  lane: "worker",
  priority: 0,
  backlog: 0,
  delayMs: 0,
  ...more,
});

describe("the queue of hints", () => {
  const { url, prefix } = testRedis();
  const redis = createRedis({ url, prefix, purpose: "tests", failFast: false, log: silentLog });
  const bullQueues = new Map(
    LANES.map((lane) => [
      lane,
      new Queue<HintData>(laneQueueName(lane), { connection: redis, prefix }),
    ]),
  );
  let proxy: TcpProxy;
  let hints: HintQueue;

  const find = (lane: Lane, { id, run }: Hint) => bullQueues.get(lane)?.getJob(hintId(id, run));
  const isThere = async (some: Hint) => (await find(some.lane, some)) !== undefined;
  async function timed(work: Promise<unknown>): Promise<number> {
    const startedAt = Date.now();
    await work;
    return Date.now() - startedAt;
  }

  before(async () => {
    proxy = await createTcpProxy(url);
    hints = createHintQueue({ redisUrl: proxy.url, prefix, log: silentLog });
    await eventually("it is connected", async () => {
      const first = hint();
      await hints.add([first]);
      return isThere(first);
    });
  });
  after(async () => {
    await hints.close();
    for (const queue of bullQueues.values()) await queue.close();
    await proxy.close();
    redis.disconnect();
  });

  it("holds each hint in its lane: only ids, and for one attempt", async () => {
    const [here, child] = [hint(), hint({ lane: "child", run: 7 })];
    await hints.add([here, child]);
    const job = await find("child", child);
    assert.deepEqual(
      [job?.data, job?.id, job?.name],
      [{ id: child.id, run: 7, requestId: "r", userId: "u" }, `${child.id}.7`, "hint"],
    );
    assert.deepEqual(
      [job?.opts.attempts, job?.opts.removeOnComplete, job?.opts.removeOnFail],
      [1, true, true],
    );
    assert.deepEqual(
      [await isThere(here), await find("child", here), await find("worker", child)],
      [true, undefined, undefined],
    );
  });

  it("keeps one of two equal hints with its first priority, and adds another run", async () => {
    const once = hint({ priority: 5 });
    const count = async () =>
      (await bullQueues.get("worker")?.getJobCountByTypes("prioritized", "waiting")) ?? 0;
    const countBefore = await count();
    await hints.add([once, once]);
    await hints.add([{ ...once, priority: 100 }]);
    assert.equal(await count(), countBefore + 1);
    assert.equal((await find("worker", once))?.opts.priority, 96);
    await hints.add([{ ...once, run: 2 }]);
    assert.equal(await count(), countBefore + 2);
  });

  it("serves higher priorities first, and a first hint before a 17th", async () => {
    const [low, high, far] = [
      hint({ priority: 1 }),
      hint({ priority: 90 }),
      hint({ priority: 90, backlog: 16 }),
    ];
    await hints.add([low, far, high]);
    const order = (await bullQueues.get("worker")?.getJobs(["prioritized"], 0, -1, true))
      ?.map(({ data }) => data.id)
      .filter((id) => [low.id, high.id, far.id].includes(id));
    assert.deepEqual(order, [high.id, low.id, far.id]);
  });

  it("delays a hint that is due within a minute, and omits a later one", async () => {
    const [soon, fraction, minute, late] = [
      hint({ delayMs: 30_000 }),
      hint({ delayMs: 1234.567 }),
      hint({ delayMs: 60_000 }),
      hint({ delayMs: 60_001 }),
    ];
    await hints.add([soon, fraction, minute, late]);
    for (const some of [soon, fraction, minute])
      assert.equal(await (await find("worker", some))?.isDelayed(), true, String(some.delayMs));
    assert.equal(await isThere(late), false);
  });

  it("removes a hint of one run only", async () => {
    const [first, second] = [hint({ run: 1 }), hint({ run: 2 })];
    await hints.add([first, { ...second, id: first.id }]);
    await hints.remove("worker", first.id, 1);
    assert.deepEqual(
      [await isThere(first), await isThere({ ...second, id: first.id })],
      [false, true],
    );
    await hints.remove("worker", "never-there", 1);
  });

  it("adds only missing hints, and returns their number", async () => {
    const [there, missing, child] = [hint(), hint(), hint({ lane: "child" })];
    await hints.add([there]);
    assert.equal(await hints.addMissing([there, missing, child]), 2);
    assert.equal(await hints.addMissing([there, missing, child]), 0);
    assert.deepEqual([await isThere(missing), await isThere(child)], [true, true]);
    assert.equal(await hints.addMissing([]), 0);
  });

  it("adds thousands of missing hints", async () => {
    const many = Array.from({ length: 2500 }, () => hint());
    await hints.add(many.slice(0, 100));
    assert.equal(await hints.addMissing(many), 2400);
  });

  it("reports once that Redis has lost its data", async () => {
    const memory = await redis.keys(`${prefix}:*`);
    await hints.hasForgotten();
    assert.equal(await hints.hasForgotten(), false);
    await hints.reportLost();
    assert.equal(await hints.hasForgotten(), true);
    assert.equal(await hints.hasForgotten(), false);
    await redis.del(...memory, `${prefix}:remembers`);
    assert.equal(await hints.hasForgotten(), true);
    assert.equal(await hints.hasForgotten(), false);
  });

  it("does not block or add hints without Redis, and works when it is back", async () => {
    const lost = hint();
    proxy.down();
    assert.ok((await timed(hints.add([lost]))) < 1500);
    assert.ok((await timed(hints.remove("worker", lost.id, 1))) < 1500);
    await assert.rejects(hints.addMissing([lost]), ServiceUnavailableError);
    assert.equal(await hints.hasForgotten(), false);
    proxy.up();
    await eventually("it works again", async () => {
      const later = hint();
      await hints.add([later]);
      return isThere(later);
    });
    assert.equal(await isThere(lost), false);
  });

  it("blocks for at most a second while Redis hangs", async () => {
    proxy.freeze();
    const times = await Promise.all([
      timed(hints.add([hint()])),
      timed(hints.remove("worker", "some", 1)),
    ]);
    for (const ms of times) assert.ok(ms > 900 && ms < 1500, `${ms} ms`);
    proxy.heal();
    await eventually("it works again", async () => {
      const later = hint();
      await hints.add([later]);
      return isThere(later);
    });
  });

  it("also works if Redis was unavailable at its start", async () => {
    proxy.down();
    let tries = 0;
    const late = createHintQueue({
      redisUrl: proxy.url,
      prefix,
      log: createLoggerTo({ write: () => void tries++ }),
    });
    await eventually("it has tried to connect", () => tries > 0);
    assert.ok((await timed(late.add([hint()]))) < 1500);
    await assert.rejects(late.addMissing([hint()]), {
      code: "SERVICE_UNAVAILABLE",
      message: "Redis is unavailable.",
    });
    proxy.up();
    await eventually("it works", async () => {
      const later = hint();
      await late.add([later]);
      return isThere(later);
    });
    assert.ok((await timed(late.close())) < 1500);
  });

  it("closes while Redis is unavailable", async () => {
    const closing = createHintQueue({ redisUrl: proxy.url, prefix, log: silentLog });
    await eventually("it works", async () => {
      const later = hint();
      await closing.add([later]);
      return isThere(later);
    });
    proxy.down();
    assert.ok((await timed(closing.close())) < 1500);
    proxy.up();
  });
});
