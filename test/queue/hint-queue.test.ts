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

let made = 0;
const hint = (more: Partial<Hint> = {}): Hint => ({
  id: `id-${++made}`,
  run: 1,
  requestId: "r",
  lane: "worker",
  priority: 0,
  backlog: 0,
  delayMs: 0,
  ...more,
});

describe("the queue of hints", () => {
  const { url, prefix } = testRedis();
  const redis = createRedis({ url, purpose: "tests", failFast: false, log: silentLog });
  const looked = new Map(
    LANES.map((lane) => [
      lane,
      new Queue<HintData>(laneQueueName(lane), { connection: redis, prefix }),
    ]),
  );
  let proxy: TcpProxy;
  let hints: HintQueue;

  const find = (lane: Lane, { id, run }: Hint) => looked.get(lane)?.getJob(hintId(id, run));
  const isThere = async (some: Hint) => (await find(some.lane, some)) !== undefined;
  async function timed(work: Promise<unknown>): Promise<number> {
    const begun = Date.now();
    await work;
    return Date.now() - begun;
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
    for (const queue of looked.values()) await queue.close();
    await proxy.close();
    redis.disconnect();
  });

  it(
    "holds in each lane what belongs there: ids and nothing else, for one attempt, and not " +
      "kept behind it",
    async () => {
      const [here, child] = [hint(), hint({ lane: "child", run: 7 })];
      await hints.add([here, child]);
      const found = await find("child", child);
      assert.deepEqual(
        [found?.data, found?.id, found?.name],
        [{ id: child.id, run: 7, requestId: "r" }, `${child.id}.7`, "hint"],
      );
      assert.deepEqual(
        [found?.opts.attempts, found?.opts.removeOnComplete, found?.opts.removeOnFail],
        [1, true, true],
      );
      assert.deepEqual(
        [await isThere(here), await find("child", here), await find("worker", child)],
        [true, undefined, undefined],
      );
    },
  );

  it("takes the same twice as one, another run as another, and its first priority stays", async () => {
    const once = hint({ priority: 5 });
    const count = async () =>
      (await looked.get("worker")?.getJobCountByTypes("prioritized", "waiting")) ?? 0;
    const already = await count();
    await hints.add([once, once]);
    await hints.add([{ ...once, priority: 100 }]);
    assert.equal(await count(), already + 1);
    assert.equal((await find("worker", once))?.opts.priority, 96);
    await hints.add([{ ...once, run: 2 }]);
    assert.equal(await count(), already + 2);
  });

  it("gives the higher priority first, and the first of another before the 17th of one", async () => {
    const [low, high, far] = [
      hint({ priority: 1 }),
      hint({ priority: 90 }),
      hint({ priority: 90, backlog: 16 }),
    ];
    await hints.add([low, far, high]);
    const order = (await looked.get("worker")?.getJobs(["prioritized"], 0, -1, true))
      ?.map(({ data }) => data.id)
      .filter((id) => [low.id, high.id, far.id].includes(id));
    assert.deepEqual(order, [high.id, low.id, far.id]);
  });

  it("keeps one back that is due within a minute, and leaves out what is due later", async () => {
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

  it("takes one back, of that run only", async () => {
    const [first, second] = [hint({ run: 1 }), hint({ run: 2 })];
    await hints.add([first, { ...second, id: first.id }]);
    await hints.remove("worker", first.id, 1);
    assert.deepEqual(
      [await isThere(first), await isThere({ ...second, id: first.id })],
      [false, true],
    );
    await hints.remove("worker", "never-there", 1);
  });

  it("adds only what is missing, and says how much that was", async () => {
    const [there, missing, child] = [hint(), hint(), hint({ lane: "child" })];
    await hints.add([there]);
    assert.equal(await hints.addMissing([there, missing, child]), 2);
    assert.equal(await hints.addMissing([there, missing, child]), 0);
    assert.deepEqual([await isThere(missing), await isThere(child)], [true, true]);
    assert.equal(await hints.addMissing([]), 0);
  });

  it("adds what is missing by the thousand", async () => {
    const many = Array.from({ length: 2500 }, () => hint());
    await hints.add(many.slice(0, 100));
    assert.equal(await hints.addMissing(many), 2400);
  });

  it("finds out, once, that Redis has forgotten everything", async () => {
    const memory = await redis.keys(`${prefix}:*`);
    await hints.hasForgotten();
    assert.equal(await hints.hasForgotten(), false);
    await redis.del(...memory, `${prefix}:remembers`);
    assert.equal(await hints.hasForgotten(), true);
    assert.equal(await hints.hasForgotten(), false);
  });

  it("lets nobody wait while Redis is away, adds nothing then, and works when it is back", async () => {
    const lost = hint();
    proxy.down();
    assert.ok((await timed(hints.add([lost]))) < 1500);
    assert.ok((await timed(hints.remove("worker", lost.id, 1))) < 1500);
    await assert.rejects(hints.addMissing([lost]), ServiceUnavailableError);
    assert.equal(await hints.hasForgotten(), false);
    proxy.up();
    await eventually("it works again", async () => {
      const found = hint();
      await hints.add([found]);
      return isThere(found);
    });
    assert.equal(await isThere(lost), false);
  });

  it("lets nobody wait longer than a second while Redis hangs", async () => {
    proxy.freeze();
    const times = await Promise.all([
      timed(hints.add([hint()])),
      timed(hints.remove("worker", "some", 1)),
    ]);
    for (const ms of times) assert.ok(ms > 900 && ms < 1500, `${ms} ms`);
    proxy.heal();
    await eventually("it works again", async () => {
      const found = hint();
      await hints.add([found]);
      return isThere(found);
    });
  });

  it("works, too, when Redis was away at its start", async () => {
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
      message: "Redis is away.",
    });
    proxy.up();
    await eventually("it works", async () => {
      const found = hint();
      await late.add([found]);
      return isThere(found);
    });
    assert.ok((await timed(late.close())) < 1500);
  });

  it("closes while Redis is away", async () => {
    const closing = createHintQueue({ redisUrl: proxy.url, prefix, log: silentLog });
    await eventually("it works", async () => {
      const found = hint();
      await closing.add([found]);
      return isThere(found);
    });
    proxy.down();
    assert.ok((await timed(closing.close())) < 1500);
    proxy.up();
  });
});
